package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"haidang/ingest"
)

// leftovers are readings that an earlier version, which kept them in NATS'
// stream until ingest took them, acknowledged and did not bring to the journal.
type leftovers struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// heldReadings says whether a stream is as that version had it: it took all,
// and answered for it.
func heldReadings(c jetstream.StreamConfig) bool {
	return !c.NoAck && slices.Contains(c.Subjects, storePrefix+">")
}

// setAside lets nothing more into the stream but what is kept, and holds what
// is in it: by its interest it would go with the session that read it.
func (l *leftovers) setAside(ctx context.Context) error {
	c := l.stream.CachedInfo().Config
	c.Retention = jetstream.LimitsPolicy
	if _, err := l.js.UpdateStream(ctx, c); err != nil {
		return err
	}
	all := l.stream.ListConsumers(ctx)
	for info := range all.Info() {
		if isKept(topicOf(strings.TrimPrefix(info.Config.FilterSubject, storePrefix))) {
			continue
		}
		if err := l.stream.DeleteConsumer(ctx, info.Name); err != nil {
			return err
		}
	}
	if err := all.Err(); err != nil {
		return err
	}
	c.Subjects = kept
	_, err := l.js.UpdateStream(ctx, c)
	return err
}

// Adopt brings what an earlier version's broker still holds through the
// pipeline, which must be running. Call it before Ready.
func (b *Broker) Adopt(ctx context.Context) error {
	if b.old == nil {
		return nil
	}
	n, err := b.old.take(ctx, b.opts.Submit)
	if err != nil {
		return fmt.Errorf("take what the broker of an earlier version holds: %w", err)
	}
	b.opts.Log.Info("took what the broker of an earlier version held", "component", "broker", "messages", n)
	b.old = nil
	return nil
}

func (l *leftovers) take(ctx context.Context, submit func(context.Context, ingest.Message) error) (n int, err error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	var ends sync.WaitGroup
	for seq := max(info.State.FirstSeq, 1); seq <= info.State.LastSeq; seq++ {
		m, err := l.stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return n, err
		}
		topic := topicOf(strings.TrimPrefix(m.Subject, storePrefix))
		if isKept(topic) {
			continue
		}
		ends.Add(1)
		if err := submit(ctx, ingest.Message{Source: "mqtt", Topic: topic, Payload: m.Data, ReceivedAt: m.Time, Done: func(ingest.Outcome) { ends.Done() }}); err != nil {
			return n, err
		}
		n++
	}
	ends.Wait()
	if err := l.stream.Purge(ctx); err != nil {
		return n, err
	}
	_, err = l.js.UpdateStream(ctx, storeConfig(false))
	return n, err
}
