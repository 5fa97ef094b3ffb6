package nmea

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/nmea/ais"
	"haidang/ingest/formats/object"
)

// Options say what sentences do not.
type Options struct {
	// Device is whose the positions of RMC are; empty: they are refused.
	Device string `toml:"device"`
	// Prefix is put before an MMSI; "ais-" unless given.
	Prefix string `toml:"prefix"`
}

// Decoder reads lines of sentences. It joins fragments across payloads.
type Decoder struct {
	o  Options
	me devices.ID

	mu     sync.Mutex
	joiner joiner
}

const maxLines = 20_000

// New makes a decoder.
func New(o Options) (*Decoder, error) {
	d := &Decoder{o: o}
	if d.o.Prefix == "" {
		d.o.Prefix = "ais-"
	}
	if o.Device != "" {
		var err error
		if d.me, err = devices.ParseID(o.Device); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Decode implements ingest.Decoder. Fragments of earlier payloads that were
// given up are among what it returns, as refusals.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	return append(d.decode(in), d.givenUp(in.ReceivedAt)...)
}

func (d *Decoder) givenUp(now time.Time) []ingest.Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.joiner.sweep(now)
	lost := d.joiner.lost
	d.joiner.lost = nil
	return lost
}

func (d *Decoder) decode(in ingest.Input) []ingest.Item {
	var items []ingest.Item
	n := 0
	for line := range bytes.Lines(in.Payload) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		if n > maxLines {
			return object.One(object.Refuse("payload_too_long", "at most %d sentences are taken at once", maxLines))
		}
		found, raw, r := d.line(text, in)
		if r != nil {
			found = []ingest.Item{{Refusal: r}}
		}
		for _, it := range found {
			it.Raw = []byte(raw)
			if n > 1 {
				it.Where = "line " + strconv.Itoa(n)
			}
			items = append(items, it)
		}
	}
	return items
}

// silent are sentences that are sound and not kept: RMC says the same, or they
// are of other instruments. DSC is not among them: it may be a call for help.
var silent = strings.Fields("AAM ABK ABM ACA ACK ACS AIR ALC ALF ALM ALR APB BBM BEC BOD BWC BWR BWW DBT DPT DTM GBS GGA GLL GNS GRS GSA GST GSV HBT HDG HDM HDT HSC " +
	"HTD LRF LRI MDA MTW MWD MWV RMB ROT RPM RSA RSD RTE SSD THS TLB TLL TTM TXT VBW VDR VHW VLW VPW VSD VSI VTG VWR WPL XDR XTE ZDA ZTG")

// line reads one sentence. raw is all that it was read from: of a message in
// fragments, those before it too.
func (d *Decoder) line(text string, in ingest.Input) (items []ingest.Item, raw string, r *ingest.Refusal) {
	s, r := parse(text)
	switch {
	case r != nil:
	case s.kind == "VDM" || s.kind == "VDO":
		return d.vdm(s, text, in)
	case s.kind == "RMC":
		items, r = d.rmc(s)
	case s.kind == "P" || slices.Contains(silent, s.kind):
	default:
		r = object.Refuse("sentence_unknown", "%.20q is no sentence that is read; AIVDM and RMC are", s.fields[0])
	}
	return items, text, r
}

func (d *Decoder) vdm(s sentence, line string, in ingest.Input) (items []ingest.Item, raw string, r *ingest.Refusal) {
	f := s.fields
	if len(f) != 7 {
		return nil, line, object.Refuse("columns_wrong", "an AIVDM sentence has 7 fields, not %d", len(f))
	}
	total, err1 := strconv.Atoi(f[1])
	number, err2 := strconv.Atoi(f[2])
	fill, err3 := strconv.Atoi(f[6])
	if err1 != nil || err2 != nil || err3 != nil || total < 1 || total > 9 || number < 1 || number > total || fill < 0 || fill > 5 || f[5] == "" {
		return nil, line, object.Refuse("fragment_invalid", "fragment %.8q of %.8q with %.8q fill bits and %d characters cannot be", f[2], f[1], f[6], len(f[5]))
	}
	payload := f[5]
	if total > 1 {
		d.mu.Lock()
		whole := d.joiner.join(thread{f[3], f[4], f[1], in.Topic, in.Sender}, s, line, in.ReceivedAt, total, number, fill)
		d.mu.Unlock()
		if whole == nil {
			return nil, line, nil // it waits for the rest
		}
		payload, fill, s.at, line = strings.Join(whole.parts, ""), whole.fill, whole.at, strings.Join(whole.lines, "\n")
	}
	m, err := ais.Decode(payload, fill)
	if err != nil {
		return nil, line, object.Refuse("ais_invalid", "%s", err)
	}
	if m == nil {
		return nil, line, nil
	}
	items, r = d.items(m, s.at)
	return items, line, r
}
