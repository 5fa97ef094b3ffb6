package firmwaresim

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
)

// network carries messages over real connections: MQTT for devices, HTTP for
// citizens.
type network struct {
	log      *slog.Logger
	links    []*link
	citizens *mailbox
	stop     context.CancelFunc
	wg       sync.WaitGroup
	overflow atomic.Int64 // messages dropped because a device's outbox was full
}

func newNetwork(ctx context.Context, opts Options, log *slog.Logger, fleet []Device) (*network, error) {
	broker, err := url.Parse(opts.MQTT)
	if err != nil || broker.Host == "" {
		return nil, fmt.Errorf("broker %q is not an address such as tcp://127.0.0.1:1883", opts.MQTT)
	}
	ctx, stop := context.WithCancel(ctx)
	n := &network{log: log, links: make([]*link, len(fleet)), stop: stop}
	for i, d := range fleet {
		n.links[i] = newLink(d, opts.MQTT, log)
	}
	if opts.HTTP != "" {
		n.citizens = newMailbox(opts.HTTP, log)
		n.wg.Go(func() { n.citizens.run(ctx) })
	}
	// A device's goroutine starts when the device is switched on.
	for _, l := range n.links {
		l.start = func() { n.wg.Go(func() { l.run(ctx) }) }
	}
	return n, nil
}

func (n *network) carry(m Message) {
	if m.Kind == Post {
		if n.citizens != nil {
			n.citizens.put(m)
		}
		return
	}
	if !n.links[m.Device].put(m) {
		if lost := n.overflow.Add(1); lost == 1 || lost%1000 == 0 {
			n.log.Warn("outbox is full, message dropped", "device", m.ID, "dropped_total", lost)
		}
	}
}

func (n *network) close() {
	n.stop()
	n.wg.Wait()
}
