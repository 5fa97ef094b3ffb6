package firmwaresim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
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
	changes  chan retiming
}

// retiming is that a device is to measure more or less often.
type retiming struct {
	device   int
	interval time.Duration
}

// manyDevices is from how many on they listen at QoS 0: at QoS 1 a broker such
// as NATS keeps a consumer for each subscription.
const manyDevices = 1000

func newNetwork(ctx context.Context, opts Options, log *slog.Logger, fleet []Device) (*network, error) {
	broker, err := url.Parse(opts.MQTT)
	if err != nil || broker.Host == "" {
		return nil, fmt.Errorf("broker %q is not an address such as tcp://127.0.0.1:1883", opts.MQTT)
	}
	ctx, stop := context.WithCancel(ctx)
	n := &network{log: log, links: make([]*link, len(fleet)), stop: stop, changes: make(chan retiming, 64)}
	qos := byte(1)
	if len(fleet) > manyDevices {
		qos = 0
	}
	for i, d := range fleet {
		n.links[i] = newLink(i, d, opts.MQTT, log, qos, func(interval time.Duration) error { return n.retime(i, interval) })
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

// retime asks the pace to have a device measure every interval of virtual time.
func (n *network) retime(device int, interval time.Duration) error {
	if interval < time.Second || interval > 24*time.Hour {
		return errors.New("the interval must be from 1 second to one day")
	}
	select {
	case n.changes <- retiming{device, interval}:
		return nil
	default:
		return errors.New("busy; try again")
	}
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
