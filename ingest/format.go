package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices"
)

// Format is a decoder under the name that the configuration gives it.
type Format struct {
	Name    string
	Decoder Decoder
	// Version tells two states of the decoder and its options apart.
	Version string
}

// Feed says that Format reads what comes on the topics that match Filter, an
// MQTT topic filter outside ioc/v1/.
type Feed struct {
	Filter string
	Format *Format
}

// Matches says whether an MQTT topic fits a filter (MQTT 3.1.1, section 4.7).
func Matches(filter, topic string) bool {
	for {
		f, fRest, fMore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, tRest, tMore := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		switch {
		case !fMore && !tMore:
			return true
		case !tMore: // a/# also fits a
			return fRest == "#"
		case !fMore:
			return false
		}
		filter, topic = fRest, tRest
	}
}

// CheckFilter says what is wrong with a topic filter of a feed; nil when it
// is sound.
func CheckFilter(filter string) error {
	if filter == "" || len(filter) > 1024 || strings.ContainsRune(filter, 0) {
		return fmt.Errorf("a topic filter has 1 to 1,024 bytes")
	}
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if strings.ContainsAny(l, "+#") && len(l) > 1 {
			return fmt.Errorf("in topic filter %q, + and # must stand alone between slashes", filter)
		}
		if l == "#" && i != len(levels)-1 {
			return fmt.Errorf("in topic filter %q, # must be the last level", filter)
		}
	}
	ours := levels[0] == "ioc" && len(levels) > 1 && (levels[1] == "#" || levels[1] == "+" || levels[1] == "v1")
	if ours || levels[0] == "#" || levels[0] == "+" || strings.HasPrefix(filter, "$") {
		return fmt.Errorf("topic filter %q takes in topics of our own or of the broker; begin it with a fixed level other than ioc/v1", filter)
	}
	return nil
}

// format finds what reads a message, nil for the native form.
func (p *Pipeline) format(m *Message) *Format {
	if m.Format != nil || strings.HasPrefix(m.Topic, TopicRoot) {
		return m.Format
	}
	for i := range p.Feeds {
		if Matches(p.Feeds[i].Filter, m.Topic) {
			return p.Feeds[i].Format
		}
	}
	return nil
}

// decodeForeign reads a payload by its format. A decoder that breaks makes a
// dead letter, never an outage.
func (p *Pipeline) decodeForeign(w *work) (refusal *Refusal) {
	defer func() {
		if fault := recover(); fault != nil {
			p.Log.Error("a decoder broke", "component", "ingest", "decoder", w.Format.Name, "topic", w.Topic, "fault", fault)
			refusal = refuse("decoder_fault", "the decoder %s broke on this payload; it is kept, and can be replayed when that is mended", w.Format.Name)
		}
	}()
	if len(w.Payload) > MaxForeign {
		return refuse("payload_too_large", "the payload has %d bytes; at most %d are taken", len(w.Payload), MaxForeign)
	}
	items := w.Format.Decoder.Decode(Input{Topic: w.Topic, Payload: w.Payload, ReceivedAt: w.ReceivedAt, Sender: w.Sender})
	w.elements = make([]element, 0, len(items))
	for i := range items {
		it := &items[i]
		if it.Reading != nil {
			// In one order, whatever the decoder's maps gave: what stands in
			// for a sequence number is made of them.
			slices.SortFunc(it.Reading.Values, func(a, b Value) int { return strings.Compare(a.Metric, b.Metric) })
			for j := range it.Reading.Values {
				it.Reading.Values[j].Metric = intern(it.Reading.Values[j].Metric)
			}
		}
		e := element{reading: it.Reading, event: it.Event, refusal: it.Refusal, raw: it.Raw, where: it.Where, units: it.Units, parts: it.Parts}
		if e.raw == nil {
			e.raw = w.Payload
		}
		if e.refusal == nil {
			// A beacon in the sea is registered nowhere before it is needed, and
			// whoever took one out of service is not at sea with it.
			distress := it.Event != nil && it.Event.IsDistress()
			e.id, e.device, e.typ, e.refusal = p.find(it.Device, p.RegisterUnknown || distress, distress)
		} else {
			e.id = it.Device
		}
		if e.refusal != nil {
			e.refusal = e.refusal.at(it.Where)
		}
		w.elements = append(w.elements, e)
	}
	return nil
}

// MaxForeign bounds a foreign payload, in bytes: a day's station file or a
// batch of line protocol has megabytes.
const MaxForeign = 8 << 20

// find looks a device up; an unknown one is refused or, with register, made
// known. One that is not in service is refused, unless anyLife is heard.
func (p *Pipeline) find(id devices.ID, register, anyLife bool) (devices.ID, *devices.Device, *devices.Type, *Refusal) {
	dev, ok := p.Registry.Get(id)
	if !ok {
		if !register {
			return id, nil, nil, &Refusal{StageIdentify, "device_unknown", fmt.Sprintf("device %s is not registered; it waits to be approved, or set unknown_devices = \"register\"", id)}
		}
		var err error
		if dev, err = p.Registry.Discover(context.Background(), id); err != nil {
			p.Log.Error("register unknown device", "device_id", id, "error", err)
			return id, nil, nil, &Refusal{StageIdentify, "device_unknown", fmt.Sprintf("device %s is not registered and registering it did not succeed", id)}
		}
	}
	if !anyLife && !dev.Life.Speaks() {
		return dev.ID, nil, nil, outOfService(dev)
	}
	typ, _ := p.Registry.Type(dev.Type)
	return dev.ID, dev, typ, nil // the registry's spelling
}

// outOfService is why nothing is taken of a device that is not active.
func outOfService(dev *devices.Device) *Refusal {
	switch dev.Life {
	case devices.Pending:
		return &Refusal{StageIdentify, "device_pending", fmt.Sprintf("device %s waits to be approved; what it sends is kept until then", dev.ID)}
	case devices.Suspended:
		return &Refusal{StageIdentify, "device_suspended", fmt.Sprintf("device %s is suspended: %s", dev.ID, dev.LifeReason)}
	}
	return &Refusal{StageIdentify, "device_retired", fmt.Sprintf("device %s is retired: %s", dev.ID, dev.LifeReason)}
}

// Take hands over a foreign payload and waits for its end; source says how it
// came ("http", "file", "tcp").
func (p *Pipeline) Take(ctx context.Context, source string, f *Format, in Input) (Outcome, error) {
	return p.take(ctx, Message{Source: source, Format: f}, in)
}

// Refuse makes a dead letter of a payload that its source does not take, with
// the beginning of it in in, and size as that of the whole in bytes. It returns
// when that is kept.
func (p *Pipeline) Refuse(ctx context.Context, source string, f *Format, in Input, size int64, r *Refusal) error {
	_, err := p.take(ctx, Message{Source: source, Format: f, refusal: r, size: size}, in)
	return err
}

func (p *Pipeline) take(ctx context.Context, m Message, in Input) (Outcome, error) {
	end := make(chan Outcome, 1)
	if in.ReceivedAt.IsZero() {
		in.ReceivedAt = time.Now()
	}
	m.Sender, m.Topic, m.Payload, m.ReceivedAt = in.Sender, in.Topic, in.Payload, in.ReceivedAt
	m.Done = func(o Outcome) { end <- o }
	if err := p.Submit(ctx, m); err != nil {
		return Outcome{}, fmt.Errorf("queue payload: %w", err)
	}
	select {
	case o := <-end:
		return o, nil
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("wait for the journal: %w", ctx.Err())
	}
}
