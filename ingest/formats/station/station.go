// Package station reads the files that automatic environmental stations send
// under Circular 10/2021/TT-BTNMT: one line a quantity, separated by TAB:
// symbol, value, unit, local time yyyyMMddHHmmss, status (00 measuring, 01
// calibrating, 02 device error). The file's name says whose it is:
// <province>_<facility>_<station>_yyyyMMddHHmmss.txt.
//
// Lines of one time become one reading. Times are Vietnam's, without an offset.
// A line in error is refused alone, one that repeats another is passed over. What
// loggers write for "no value" is kept as a device error.
package station

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Options are a station source's own settings.
type Options struct {
	// Missing are the numbers that loggers write when they have no value;
	// DefaultMissing unless given. An empty list has none.
	Missing []float64 `toml:"missing"`
}

// DefaultMissing are what loggers write for "no value". None can be measured:
// of the circular's quantities only temperature goes below 0 by more than an
// analyser's drift. Positive ones (9999) could be real, and are left out.
var DefaultMissing = []float64{-99, -999, -999.9, -9999, -9999.9, -99999, -6999, -7999}

// Decoder reads station files.
type Decoder struct{ missing []float64 }

// New makes a decoder.
func New(o Options) Decoder {
	if o.Missing == nil {
		o.Missing = DefaultMissing
	}
	return Decoder{o.Missing}
}

// maxLines bounds one file: a day at one minute of 25 quantities is 36,000.
const maxLines = 100_000

var (
	fileForm = regexp.MustCompile(`^([A-Za-z0-9]{1,8}_[A-Za-z0-9-]{1,24}_[A-Za-z0-9-]{1,24})_(\d{14})\.(?i:txt)$`)
	vietnam  = time.FixedZone("UTC+7", 7*3600)
)

// metrics are our names of the circular's symbols where they differ; the others
// (COD, pH, SO2, …) are kept under their own name in small letters, as the device
// types have them. PM1 is not the circular's, but stations have it, and it must
// not become PM10.
var metrics = map[string]string{"pm2,5": "pm25", "pm2.5": "pm25", "pm1,0": "pm1", "pm1.0": "pm1", "rh": "humidity", "p": "pressure"}

var quality = map[string]ingest.Quality{"00": ingest.Good, "01": ingest.Calibrating, "02": ingest.DeviceError}

// Device is the station's id by its file's name.
func Device(name string) (devices.ID, *ingest.Refusal) {
	m := fileForm.FindStringSubmatch(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if m == nil {
		return "", object.Refuse("file_name_invalid", "%.100q is not the name of a station file: <province>_<facility>_<station>_yyyyMMddHHmmss.txt", path.Base(name))
	}
	return object.DeviceID("", m[1])
}

// Decode implements ingest.Decoder; the topic is the file's name.
func (d Decoder) Decode(in ingest.Input) []ingest.Item {
	id, r := Device(in.Topic)
	if r != nil {
		return object.One(r)
	}
	body := bytes.TrimPrefix(in.Payload, []byte("\xef\xbb\xbf"))
	if r := object.Encoding(body); r != nil {
		return []ingest.Item{{Device: id, Refusal: r}}
	}
	f := file{id: id, at: map[time.Time]int{}}
	n := 0
	for line := range bytes.Lines(body) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if n > maxLines {
			return []ingest.Item{{Device: id, Refusal: object.Refuse("file_too_long", "the file has more than %d lines", maxLines)}}
		}
		part := ingest.Part{Where: "line " + strconv.Itoa(n), Raw: line}
		row, r := parse(string(line))
		if r == nil {
			if row.quality == ingest.Good && slices.Contains(d.missing, row.value) {
				row.quality = ingest.DeviceError
			}
			part.Metric = row.metric
			r = f.add(row, part)
		}
		if r != nil {
			f.items = append(f.items, ingest.Item{Device: id, Refusal: r, Raw: part.Raw, Where: part.Where})
		}
	}
	for i := range f.items {
		if ps := f.items[i].Parts; len(ps) > 1 {
			f.items[i].Where = ps[0].Where + " to " + ps[len(ps)-1].Where
		} else if len(ps) == 1 {
			f.items[i].Where = ps[0].Where
		}
	}
	if len(f.items) == 0 {
		return []ingest.Item{{Device: id, Refusal: object.Refuse("payload_empty", "the file is empty")}}
	}
	return f.items
}

// file is what a file's lines have become so far.
type file struct {
	id    devices.ID
	items []ingest.Item
	at    map[time.Time]int // the item of a time
}

// add puts a row into the reading of its time. A row that says again what is
// there already is no error, and changes nothing.
func (f *file) add(r row, p ingest.Part) *ingest.Refusal {
	i, ok := f.at[r.at]
	if ok && f.items[i].Units[r.metric] == r.unit {
		if v, has := f.items[i].Reading.Value(r.metric); has && v.Number == r.value && v.Quality == r.quality {
			return nil
		}
	}
	it := ingest.Item{Device: f.id, Reading: &ingest.Reading{FixTime: r.at, Seq: ingest.NoSeq}, Units: map[string]string{}}
	if ok {
		it = f.items[i]
	}
	vs := &it.Reading.Values
	if refusal := object.Add(vs, r.metric, r.value); refusal != nil {
		return refusal
	}
	(*vs)[len(*vs)-1].Quality = r.quality
	it.Units[r.metric] = r.unit
	it.Raw = append(append(it.Raw, p.Raw...), '\n')
	it.Parts = append(it.Parts, p)
	if ok {
		f.items[i] = it
	} else {
		f.at[r.at] = len(f.items)
		f.items = append(f.items, it)
	}
	return nil
}

type row struct {
	metric  string
	value   float64
	unit    string
	at      time.Time
	quality ingest.Quality
}

func parse(line string) (r row, refusal *ingest.Refusal) {
	cells := strings.Split(line, "\t")
	if len(cells) == 6 && strings.TrimSpace(cells[5]) == "" { // some loggers end a line with a TAB
		cells = cells[:5]
	}
	if len(cells) != 5 {
		return r, object.Refuse("columns_wrong", "five columns separated by TAB are wanted (symbol, value, unit, time, status), not %d", len(cells))
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	symbol := strings.ToLower(cells[0])
	if symbol == "" {
		return r, object.Refuse("symbol_missing", "the symbol is missing")
	}
	if r.metric = metrics[symbol]; r.metric == "" {
		r.metric = strings.ReplaceAll(symbol, ",", "_") // never "": PM1,0 is not PM10
	}
	var ok bool
	if r.value, ok = object.Decimal(cells[1]); !ok {
		hint := ""
		if strings.Contains(cells[1], ",") {
			hint = "; the circular's decimal mark is the point"
		}
		return r, object.Refuse("number_invalid", "the value %.40q is no number%s", cells[1], hint)
	}
	r.unit = cells[2]
	local, err := time.ParseInLocation("20060102150405", cells[3], vietnam)
	if err != nil || len(cells[3]) != 14 || local.IsZero() {
		return r, object.Refuse("ts_invalid", "%.40q is not a time of the form yyyyMMddHHmmss", cells[3])
	}
	r.at = local.UTC()
	if r.quality, ok = quality[cells[4]]; !ok {
		return r, object.Refuse("status_unknown", "the status %.20q is unknown; known are 00 (measuring), 01 (calibrating), 02 (device error)", cells[4])
	}
	return r, nil
}
