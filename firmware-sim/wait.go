package firmwaresim

import (
	"context"
	"errors"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

var (
	errLeaves = errors.New("the device goes off line")
	errLost   = errors.New("connection lost")
	errNoWord = errors.New("no acknowledgement in time")
)

// await waits for a token, but not longer than the connection lives.
func await(ctx context.Context, lost <-chan struct{}, token mqtt.Token, atMost time.Duration) error {
	limit := time.NewTimer(atMost)
	defer limit.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-lost:
		return errLost
	case <-limit.C:
		return errNoWord
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
