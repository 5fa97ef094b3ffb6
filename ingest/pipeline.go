package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
	"haidang/devices/commands"
)

// Registry is what the pipeline asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Type(devices.TypeID) (*devices.Type, bool)
	Discover(context.Context, devices.ID) (*devices.Device, error)
}

// Journal keeps entries; see package journal.
type Journal interface {
	Append(context.Context, []Entry) (stored []bool, err error)
}

// DeadLetterStore keeps dead letters durably and gives each its ID.
type DeadLetterStore interface {
	Add(context.Context, []DeadLetter) error
}

// Options are what a Pipeline needs. All but the functions are required.
type Options struct {
	Registry    Registry
	Journal     Journal
	DeadLetters DeadLetterStore
	Bounds      Bounds
	// Feeds are the topics on which foreign formats come.
	Feeds []Feed
	// DeviceLimits are how much one device may send live; see ParseLimits.
	DeviceLimits []Limit
	// RegisterUnknown makes devices never seen before known as type generic;
	// otherwise what they send becomes dead letters.
	RegisterUnknown bool
	// Report takes a field report that came over MQTT. A *devices.FieldError
	// makes it a dead letter; any other error is tried again.
	Report func(ctx context.Context, payload []byte) error
	// Answers takes what devices say to commands and of their configuration,
	// many at once. A *devices.FieldError in refused makes that one a dead
	// letter; err says that none was kept, and they are tried again.
	Answers func(ctx context.Context, as []commands.Answer) (refused []error, err error)
	// Connection is what a device last said of itself: "online", "offline" or
	// anything else before it did. A change becomes an event.
	Connection func(devices.ID) string
	// Heard notes that a device spoke, though it said nothing that is kept.
	Heard func(id devices.ID, at time.Time)
	// Version is the program's, for dead letters of the native form.
	Version string
	// Expect are the ways that are expected to bring something; they are
	// counted from the start, so that one that brings nothing is seen.
	Expect []SourceID
	// Tell lets a device know why its message became a dead letter.
	Tell    func(DeadLetter)
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Pipeline takes messages to their end. Submit may be called by many
// goroutines; Run must be running.
type Pipeline struct {
	Options
	trouble atomic.Pointer[Trouble]
	stages  []stage
	live    *lane
	bulk    *lane // long payloads; late messages and floods that others stand behind
	patient *lane // late messages and floods of senders that can be kept waiting
	reports *lane
	answers *lane
	limiter *limiter
	census  *census
	metrics *metrics
}

// stage is one named step. A refusal of the whole message ends its way.
type stage struct {
	name Stage
	run  func(*work) *Refusal
}

// work is a message on its way.
type work struct {
	Message
	route    route
	id       devices.ID // of the device that the topic names, if it does
	device   *devices.Device
	typ      *devices.Type
	elements []element
	outcome  Outcome
	left     int // elements that are not kept yet
	lane     *lane
	isRest   bool // of a message whose other part counts as the message
}

// laneOf is the lane for a message of readings or events. Old ones can wait, if
// their sender can; so can those of a device that floods. What is long is cut.
func (p *Pipeline) laneOf(w *work) *lane {
	switch late := w.isLate(); {
	case !late && len(w.elements) > bulkBatch:
		return p.bulk
	case !late && !p.slowDown(w):
		return p.live
	}
	return p.slow(w)
}

// slow is the lane for what waits behind others.
func (p *Pipeline) slow(w *work) *lane {
	if w.Shared {
		return p.bulk
	}
	return p.patient
}

// isLate says that a message brings late readings and nothing live. What of it
// is refused says nothing of its age.
func (w *work) isLate() (late bool) {
	for i := range w.elements {
		e := &w.elements[i]
		if e.refusal != nil {
			continue
		}
		if r := e.reading; r != nil && r.Lateness == LiveNow || e.event != nil {
			return false
		}
		late = true
	}
	return late
}

// maxBatch is the most entries committed at once.
const maxBatch = 5000

// NewPipeline builds the way of a message.
func NewPipeline(o Options) *Pipeline {
	p := &Pipeline{Options: o, live: newLane(maxWaiting / 2), bulk: newLane(maxWaiting / 4), patient: newLane(maxWaiting / 8), reports: newLane(maxWaiting / 8), answers: newLane(maxWaiting / 32), limiter: newLimiter(o.DeviceLimits), census: newCensus(o.Expect, time.Now()), metrics: newMetrics(o.Metrics)}
	if o.Metrics != nil {
		o.Metrics.MustRegister(p.census)
	}
	p.stages = []stage{
		{StageTopic, p.readTopic},
		{StageIdentify, p.identify},
		{StageDecode, p.decode},
		{StageValidate, p.validate},
	}
	return p
}

// Submit takes a message. It decodes and checks at once and returns when the
// rest is queued; m.Done tells the end. It blocks only when the queue is full,
// and gives up, leaving the message unacknowledged, when ctx ends.
func (p *Pipeline) Submit(ctx context.Context, m Message) error {
	w := &work{Message: m}
	refusal := m.refusal
	for i := 0; i < len(p.stages) && refusal == nil; i++ {
		refusal = p.stages[i].run(w)
	}
	if refusal != nil {
		w.elements = []element{{refusal: refusal, raw: w.Payload}}
	}
	to := p.live
	switch w.route {
	case routeOurs:
		p.metrics.ignored.Inc()
		w.finish(Outcome{})
		return nil
	case routeState:
		if len(w.elements) == 0 { // a heartbeat
			w.finish(Outcome{})
			return nil
		}
	case routeReport:
		if len(w.elements) == 0 {
			to = p.reports
		}
	case routeAnswer:
		if len(w.elements) == 0 {
			to = p.answers
		}
	case routeReadings, routeEvents, routeForeign:
		if len(w.elements) == 0 { // sound, and nothing to keep
			w.finish(Outcome{})
			return nil
		}
		to = p.laneOf(w)
	}
	if ackEarly {
		w.finish(Outcome{})
		w.Done = nil
	}
	if w.Format == nil || to != p.live {
		return p.queue(ctx, to, w)
	}
	live, flood := p.partFlood(w)
	if live != nil {
		if err := p.queue(ctx, to, live); err != nil {
			return err
		}
	}
	if flood != nil {
		return p.queue(ctx, p.slow(flood), flood)
	}
	return nil
}

func (p *Pipeline) queue(ctx context.Context, to *lane, w *work) error {
	err := to.add(ctx, w)
	if err != nil {
		p.metrics.refused.Inc()
	}
	return err
}

// Ingest takes a device's payload from sender and waits for its end: the HTTP
// form of Submit. leaf is "readings" or "events".
func (p *Pipeline) Ingest(ctx context.Context, sender string, id devices.ID, leaf string, payload []byte) (Outcome, error) {
	end := make(chan Outcome, 1)
	err := p.Submit(ctx, Message{Source: "http", Sender: sender, Topic: DeviceRoot + string(id) + "/" + leaf, Payload: payload,
		ReceivedAt: time.Now(), Done: func(o Outcome) { end <- o }})
	if err != nil {
		return Outcome{}, fmt.Errorf("queue readings: %w", err)
	}
	select {
	case o := <-end:
		return o, nil
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("wait for the journal: %w", ctx.Err())
	}
}

func (w *work) finish(o Outcome) {
	if w.Done != nil {
		w.Done(o)
	}
}

// Trouble is that nothing can be kept, and so nothing is acknowledged.
type Trouble struct {
	Since time.Time
	Cause error
}

// Trouble is nil while what comes is kept.
func (p *Pipeline) Trouble() *Trouble { return p.trouble.Load() }

// Waiting is how many messages wait to be kept: live ones, and backfill.
func (p *Pipeline) Waiting() (live, bulk int) {
	return len(p.live.queue), len(p.bulk.queue) + len(p.patient.queue)
}

func (p *Pipeline) readTopic(w *work) (r *Refusal) {
	if w.Format = p.format(&w.Message); w.Format != nil {
		w.route = routeForeign
		return nil
	}
	w.route, w.id, r = parseTopic(w.Topic)
	return r
}
