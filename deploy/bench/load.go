package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// load is a lean MQTT 3.1.1 publisher of our own: paho as the generator would
// cost more CPU than the servers that are measured.
type load struct {
	address    string
	publishers int
	devices    int
	window     int // messages in flight a publisher
	rate       int // messages a second in all; 0 is as fast as acknowledged
	prefix     string
	stamped    bool // readings say to the microsecond when they were sent
	// message replaces topic and payload of a device's k-th message.
	message func(device, k int) (topic string, payload []byte)
}

// session is a load that is connected.
type session struct {
	load
	conns []net.Conn
}

// publish sends n readings, QoS 1, and returns when all are acknowledged.
func (l load) publish(ctx context.Context, n int) error {
	s, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return s.publish(ctx, n)
}

// dialAtOnce is how many connections are opened at a time: a broker lets only
// so many wait to be accepted.
const dialAtOnce = 64

func (l load) connect(ctx context.Context) (*session, error) {
	s := &session{l, make([]net.Conn, l.publishers)}
	var g errgroup.Group
	g.SetLimit(dialAtOnce)
	for i := range s.conns {
		g.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				s.conns[i], err = connectMQTT(l.address, fmt.Sprintf("%s-%d-%d", l.prefix, i, time.Now().UnixNano()))
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	for _, c := range s.conns {
		if c != nil {
			c.Close()
		}
	}
}

// publish sends n readings, shared out among the connections.
func (s *session) publish(ctx context.Context, n int) error {
	defer context.AfterFunc(ctx, s.close)()
	var g errgroup.Group
	begin := time.Now()
	for i := range s.conns {
		share := n*(i+1)/s.publishers - n*i/s.publishers
		g.Go(func() error { return s.one(i, share, begin) })
	}
	return g.Wait()
}

func (s *session) one(number, n int, begin time.Time) error {
	conn, window := s.conns[number], make(chan struct{}, s.window)
	acks := make(chan error, 1)
	go func() {
		r, ack := bufio.NewReaderSize(conn, 128), make([]byte, 4)
		for range n {
			if _, err := io.ReadFull(r, ack); err != nil {
				acks <- fmt.Errorf("read acknowledgement: %w", err)
				return
			}
			<-window
		}
		acks <- nil
	}()

	mine := s.devices / s.publishers
	for k := range n {
		if s.rate > 0 {
			at := begin.Add(time.Duration(float64(k*s.publishers+number) / float64(s.rate) * float64(time.Second)))
			time.Sleep(time.Until(at))
		}
		select {
		case window <- struct{}{}:
		case err := <-acks:
			return err
		}
		device := number*mine + k%mine
		// One write a message, as real devices cause.
		var packet []byte
		if id := uint16(k%65535 + 1); s.message == nil {
			packet = publishPacket(s.topic(device), id, s.reading(device, k))
		} else {
			topic, payload := s.message(device, k)
			packet = publishPacket(topic, id, payload)
		}
		if _, err := conn.Write(packet); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	return <-acks
}

func (l load) topic(device int) string {
	return "ioc/v1/devices/" + l.id(device) + "/readings"
}

// id is a device's name.
func (l load) id(device int) string { return fmt.Sprintf("%s-%06d", l.prefix, device) }

// swing moves all values of a reading; lat and lon are the device's place.
func swing(device, k int) (v, lat, lon float64) {
	return float64((k*7+device*13)%2999) / 100, 17.3 + float64(device%100)/200, 106.3 + float64(device/100%100)/200
}

// reading is about 200 bytes, like those of the peers' measurements.
func (l load) reading(device, k int) []byte {
	v, lat, lon := swing(device, k)
	now := time.Now()
	b := fmt.Appendf(make([]byte, 0, 256),
		`{"ts":%d,"seq":%d,"lat":%.5f,"lon":%.5f,"values":{"pm25":%.2f,"pm10":%.2f,"o3":%.2f,"no2":%.2f,"temp":%.2f,"humidity":%.2f,"battery_v":%.2f,"rssi":%.2f`,
		now.UnixMilli(), k+1, lat, lon, 10+v, 20+v, 30+v, 12+v, 20+v/10, 60+v, 12+v/30, -90+v)
	if l.stamped { // exact as a float64 for some centuries
		b = fmt.Appendf(b, `,"sent_us":%d`, now.UnixMicro())
	}
	return append(b, "}}"...)
}

// points are the load's first n readings as InfluxDB takes them, ending now.
func (l load) points(n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		const apart = 25 // ms between a device's readings
		begin := time.Now().UnixMilli() - int64(apart*n/l.devices)
		for i := range n {
			device, k := i%l.devices, i/l.devices
			v, lat, lon := swing(device, k)
			if !yield(fmt.Appendf(make([]byte, 0, 256),
				`generic,device=%s pm25=%.2f,pm10=%.2f,o3=%.2f,no2=%.2f,temp=%.2f,humidity=%.2f,battery_v=%.2f,rssi=%.2f,lat=%.5f,lon=%.5f %d`,
				l.id(device), 10+v, 20+v, 30+v, 12+v, 20+v/10, 60+v, 12+v/30, -90+v, lat, lon, begin+int64(apart*k))) {
				return
			}
		}
	}
}

func connectMQTT(address, id string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0x0e, 0x10}, text(id)...)
	var ack [4]byte
	if _, err = conn.Write(append([]byte{0x10, byte(len(body))}, body...)); err == nil {
		_, err = io.ReadFull(conn, ack[:])
	}
	if err == nil && ack[3] != 0 {
		err = fmt.Errorf("broker refused the connection with code %d", ack[3])
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

func publishPacket(topic string, id uint16, payload []byte) []byte {
	length := 2 + len(topic) + 2 + len(payload)
	p := binary.AppendUvarint([]byte{0x32}, uint64(length)) // MQTT's lengths are these varints
	p = append(p, text(topic)...)
	p = binary.BigEndian.AppendUint16(p, id)
	return append(p, payload...)
}

func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}
