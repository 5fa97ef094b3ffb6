package mqtt

import (
	"io"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func publishPacket(id uint16) *packets.PublishPacket {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, id, "a/b", []byte("one")
	return p
}

// As after a reconnect: the packet is on its way while paho marks what it finds
// in the store and sends that too. The race detector is the judge.
func TestStoreGivesPacketsOfTheirOwn(t *testing.T) {
	s := NewStore()
	s.Open()
	sent := publishPacket(7)
	s.Put("o.7", sent)
	var wg sync.WaitGroup
	wg.Go(func() { _ = sent.Write(io.Discard) })
	wg.Go(func() { s.Get("o.7").(*packets.PublishPacket).Dup = true })
	wg.Wait()
	again := s.Get("o.7").(*packets.PublishPacket)
	if again.Dup || sent.Dup || again.MessageID != 7 || string(again.Payload) != "one" {
		t.Errorf("kept %v, sent %v", again, sent)
	}
	s.Del("o.7")
	if p := s.Get("o.7"); p != nil {
		t.Errorf("still there: %v", p)
	}
}

func TestStoreLeavesWhatComesInToTheBroker(t *testing.T) {
	s := NewStore()
	s.Open()
	s.Put("i.7", publishPacket(7))
	if keys := s.All(); len(keys) != 0 {
		t.Errorf("kept %v", keys)
	}
}
