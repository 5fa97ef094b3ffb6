package people

// Action is one thing that somebody may do, as kind.verb. Each route names the
// action it needs; roles.yaml says which role has it.
type Action string

// The actions. Read ones are also what a channel of the websocket needs.
const (
	DeviceRead       Action = "device.read"       // devices, their values and history; areas, agencies, types
	DeviceManage     Action = "device.manage"     // register devices, give them credentials
	DeviceCommand    Action = "device.command"    // tell devices what to do: restart, send now, …
	DeviceLife       Action = "device.life"       // suspend, retire and bring back devices
	DeviceRestore    Action = "device.restore"    // undo that a device was retired
	TypeManage       Action = "devicetype.manage" // edit device types
	AreaManage       Action = "area.manage"       // import areas, keep agencies
	ReadingSend      Action = "reading.send"      // send in other devices' names
	SourceRead       Action = "source.read"       // how data sources do
	StatsRead        Action = "stats.read"        // the figures of the whole centre
	DeadLetterManage Action = "deadletter.manage" // see raw payloads, replay and discard them
	AlertRead        Action = "alert.read"
	AlertAck         Action = "alert.ack"
	ReportRead       Action = "report.read"
	ReportHandle     Action = "report.handle" // accept, assign, answer, …
	WorkOrderRead    Action = "workorder.read"
	WorkOrderSend    Action = "workorder.send" // make and cancel orders, act for any crew
	WorkOrderAct     Action = "workorder.act"  // take steps of an order, say where a crew is
	ShiftKeep        Action = "shift.keep"     // begin, note, hand over and accept a shift
	PersonalUnmask   Action = "personal.unmask"
	PersonManage     Action = "person.manage" // accounts, roles, sessions of others
	AuditRead        Action = "audit.read"
	RetentionManage  Action = "retention.manage" // say how long things are kept, hold them
)

// Actions are all of them.
var Actions = []Action{DeviceRead, DeviceManage, DeviceCommand, DeviceLife, DeviceRestore, TypeManage, AreaManage, ReadingSend, SourceRead, StatsRead, DeadLetterManage, AlertRead, AlertAck,
	ReportRead, ReportHandle, WorkOrderRead, WorkOrderSend, WorkOrderAct, ShiftKeep, PersonalUnmask, PersonManage, AuditRead, RetentionManage}
