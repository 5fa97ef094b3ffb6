package sheet

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/table"
)

// column is one field of a device in a table.
type column struct {
	name string
	// also are other headers by which it is known.
	also []string
	get  func(*devices.Device) string
	set  func(*devices.Device, string, marks) error
}

// headings are the columns as a file has them; without its id no row says which
// device it is of.
var headings = func() (hs []table.Column) {
	for _, c := range columns {
		hs = append(hs, table.Column{Name: c.name, Also: c.also, Required: c.name == "id"})
	}
	return hs
}()

// marks are how numbers are written.
type marks struct{ decimalComma bool }

// columns are all, in the order in which a table is written.
var columns = []column{
	{"id", []string{"device_id", "mã", "mã thiết bị"}, func(d *devices.Device) string { return string(d.ID) }, func(*devices.Device, string, marks) error { return nil }}, // set by the reader
	{"type", []string{"loại", "loại thiết bị"}, func(d *devices.Device) string { return string(d.Type) }, func(d *devices.Device, s string, _ marks) error {
		d.Type = devices.TypeID(s)
		return nil
	}},
	text("name", func(d *devices.Device) *string { return &d.Name }, "tên", "tên thiết bị"),
	text("area", func(d *devices.Device) *string { return &d.Area }, "địa bàn", "mã địa bàn"),
	degrees("lat", func(p *devices.Position) *float64 { return &p.Lat }, "latitude", "vĩ độ"),
	degrees("lon", func(p *devices.Position) *float64 { return &p.Lon }, "lng", "longitude", "kinh độ"),
	{"interval_s", []string{"expected_interval_s", "chu kỳ", "chu kỳ (giây)"}, func(d *devices.Device) string { return number(d.Interval.Seconds()) }, func(d *devices.Device, s string, m marks) error {
		x, err := parse(s, m)
		if err == nil && !(x >= 0 && x <= 366*24*3600) {
			err = fmt.Errorf("an interval is between 0 (as its type) and a year, in seconds")
		}
		d.Interval = time.Duration(x * float64(time.Second))
		return err
	}},
	{"life", []string{"trạng thái"}, func(d *devices.Device) string { return string(d.Life) }, func(d *devices.Device, s string, _ marks) error {
		d.Life = devices.Life(s)
		return nil
	}},
	text("agency", func(d *devices.Device) *string { return &d.Agency }, "đơn vị", "cơ quan", "mã cơ quan"),
	text("vendor", func(d *devices.Device) *string { return &d.Vendor }, "nhà cung cấp", "hãng"),
	text("network", func(d *devices.Device) *string { return &d.Network }, "mạng"),
	text("cohort", func(d *devices.Device) *string { return &d.Cohort }, "nhóm", "đợt lắp đặt"),
	text("gateway", func(d *devices.Device) *string { return (*string)(&d.Gateway) }, "cổng", "thiết bị cổng"),
	text("serial", func(d *devices.Device) *string { return &d.Serial }, "số sê-ri", "số seri", "serial number"),
	text("model", func(d *devices.Device) *string { return &d.Model }, "kiểu", "model thiết bị"),
	text("firmware", func(d *devices.Device) *string { return &d.Firmware }, "phần mềm", "phiên bản phần mềm"),
	text("installed_at", func(d *devices.Device) *string { return &d.InstalledAt }, "ngày lắp đặt"),
	{"labels", []string{"nhãn"}, func(d *devices.Device) string { return strings.Join(d.Labels, "|") }, func(d *devices.Device, s string, _ marks) error {
		d.Labels = nil
		if s != "" {
			d.Labels = strings.Split(s, "|")
		}
		return nil
	}},
	text("notes", func(d *devices.Device) *string { return &d.Notes }, "ghi chú"),
}

func text(name string, of func(*devices.Device) *string, also ...string) column {
	return column{name, also, func(d *devices.Device) string { return *of(d) }, func(d *devices.Device, s string, _ marks) error {
		*of(d) = s
		return nil
	}}
}

// degrees is one half of a position; the reader sees to it that both are given.
func degrees(name string, of func(*devices.Position) *float64, also ...string) column {
	return column{name, also, func(d *devices.Device) string {
		if d.Position == nil {
			return ""
		}
		return strconv.FormatFloat(*of(d.Position), 'f', -1, 64)
	}, func(d *devices.Device, s string, m marks) error {
		if s == "" {
			d.Position = nil
			return nil
		}
		x, err := parse(s, m)
		if d.Position == nil {
			d.Position = &devices.Position{}
		}
		*of(d.Position) = x
		return err
	}}
}

// number is a number of seconds; none is an empty cell.
func number(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// parse reads a number; an empty cell is 0. It takes no thousands and one
// decimal mark, which is the comma only when that was said.
func parse(s string, m marks) (float64, error) {
	if s == "" {
		return 0, nil
	}
	switch {
	case m.decimalComma && strings.Contains(s, "."):
		return 0, fmt.Errorf("it has a point, and decimal=comma says that the decimal mark is the comma; thousands are not parted")
	case m.decimalComma:
		s = strings.Replace(s, ",", ".", 1)
	case strings.Contains(s, ","):
		return 0, fmt.Errorf("it has a decimal comma; write a point, or say decimal=comma")
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || strings.ContainsAny(s, "xX_") {
		return 0, fmt.Errorf("it is no number")
	}
	return x, nil
}
