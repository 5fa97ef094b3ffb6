package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
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
}

// publish sends n readings, QoS 1, and returns when all are acknowledged.
func (l load) publish(ctx context.Context, n int) error {
	errs := make([]error, l.publishers)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range l.publishers {
		share := n*(i+1)/l.publishers - n*i/l.publishers
		wg.Go(func() { errs[i] = l.one(ctx, i, share, begin) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l load) one(ctx context.Context, number, n int, begin time.Time) error {
	conn, err := connectMQTT(l.address, fmt.Sprintf("%s-%d-%d", l.prefix, number, time.Now().UnixNano()))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	window := make(chan struct{}, l.window)
	acks := make(chan error, 1)
	go func() {
		r, ack := bufio.NewReader(conn), make([]byte, 4)
		for range n {
			if _, err := io.ReadFull(r, ack); err != nil {
				acks <- fmt.Errorf("read acknowledgement: %w", err)
				return
			}
			<-window
		}
		acks <- nil
	}()

	mine := l.devices / l.publishers
	w := bufio.NewWriterSize(conn, 64<<10)
	for k := range n {
		if l.rate > 0 {
			at := begin.Add(time.Duration(float64(k*l.publishers+number) / float64(l.rate) * float64(time.Second)))
			time.Sleep(time.Until(at))
		}
		select {
		case window <- struct{}{}:
		case err := <-acks:
			return err
		}
		device := number*mine + k%mine
		if _, err := w.Write(publishPacket(l.topic(device), uint16(k%65535+1), l.reading(device, k))); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		if err := w.Flush(); err != nil { // one write a message, as real devices cause
			return fmt.Errorf("publish: %w", err)
		}
	}
	return <-acks
}

func (l load) topic(device int) string {
	return fmt.Sprintf("ioc/v1/devices/%s-%06d/readings", l.prefix, device)
}

// reading is about 200 bytes, like those of the peers' measurements.
func (l load) reading(device, k int) []byte {
	v := float64((k*7+device*13)%2999) / 100
	return fmt.Appendf(make([]byte, 0, 256),
		`{"ts":%d,"seq":%d,"lat":%.5f,"lon":%.5f,"values":{"pm25":%.2f,"pm10":%.2f,"o3":%.2f,"no2":%.2f,"temp":%.2f,"humidity":%.2f,"battery_v":%.2f,"rssi":%.2f}}`,
		time.Now().UnixMilli(), k+1, 17.3+float64(device%100)/200, 106.3+float64(device/100%100)/200,
		10+v, 20+v, 30+v, 12+v, 20+v/10, 60+v, 12+v/30, -90+v)
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
