package main

import (
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// subscribe hears all readings at QoS 1, in a session that the broker keeps.
func subscribe(broker, id string, hear mqtt.MessageHandler) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID(id).SetCleanSession(false))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		return fmt.Errorf("connect: %w", token.Error())
	}
	token := client.Subscribe("ioc/v1/devices/+/readings", 1, hear)
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		return fmt.Errorf("subscribe: %w", token.Error())
	}
	return nil
}

// tell answers with a count that counter reads.
func tell(n *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "count %d\n", n.Load()) }
}

// bareSubscriber is the floor of taking in: paho, QoS 1, acknowledge and count,
// keep nothing. Arguments: broker, address of the count.
func bareSubscriber(args []string) error {
	var n atomic.Int64
	if err := subscribe(args[0], "bare", func(mqtt.Client, mqtt.Message) { n.Add(1) }); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "counting")
	return http.ListenAndServe(args[1], tell(&n))
}
