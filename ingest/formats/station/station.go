// Package station reads the files that automatic environmental stations send
// under Circular 10/2021/TT-BTNMT: one line a quantity, separated by TAB:
// symbol, value, unit, local time yyyyMMddHHmmss, status (00 measuring, 01
// calibrating, 02 device error). The file's name says whose it is:
// <province>_<facility>_<station>_yyyyMMddHHmmss.txt.
//
// Lines of one time become one reading. Times are Vietnam's, without an offset.
// A line in error is refused alone.
package station

import (
	"bytes"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads station files.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// maxLines bounds one file: a day at one minute of 25 quantities is 36,000.
const maxLines = 100_000

var (
	fileForm = regexp.MustCompile(`^([A-Za-z0-9]{1,8}_[A-Za-z0-9-]{1,24}_[A-Za-z0-9-]{1,24})_(\d{14})\.(?i:txt)$`)
	vietnam  = time.FixedZone("UTC+7", 7*3600)
)

// metrics are our names of the circular's symbols; a symbol that is not here
// is kept under its own name in small letters. PM1 is not the circular's, but
// stations have it, and it must not become PM10.
var metrics = map[string]string{"pm2,5": "pm25", "pm2.5": "pm25", "pm1,0": "pm1", "pm1.0": "pm1", "temp": "temp", "rh": "humidity", "flow": "flow", "ph": "ph"}

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
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	id, r := Device(in.Topic)
	if r != nil {
		return object.One(r)
	}
	body := bytes.TrimPrefix(in.Payload, []byte("\xef\xbb\xbf"))
	if r := object.Encoding(body); r != nil {
		return []ingest.Item{{Device: id, Refusal: r}}
	}
	var items []ingest.Item
	at := map[time.Time]int{} // the item of a time
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
		row, r := parse(string(line))
		if r == nil {
			i, ok := at[row.at]
			if !ok {
				i = len(items)
				items = append(items, ingest.Item{Device: id, Reading: &ingest.Reading{FixTime: row.at, Seq: ingest.NoSeq}, Units: map[string]string{}})
			}
			if r = object.Add(&items[i].Reading.Values, row.metric, row.value); r == nil {
				at[row.at] = i
				vs := items[i].Reading.Values
				vs[len(vs)-1].Quality = row.quality
				items[i].Units[row.metric] = row.unit
				items[i].Raw = append(append(items[i].Raw, line...), '\n')
				continue
			}
			if !ok {
				items = items[:i] // a reading of nothing
			}
		}
		items = append(items, ingest.Item{Device: id, Refusal: r, Raw: line, Where: "line " + strconv.Itoa(n)})
	}
	if len(items) == 0 {
		return []ingest.Item{{Device: id, Refusal: object.Refuse("payload_empty", "the file is empty")}}
	}
	return items
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
