package firmwaresim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// mailbox posts citizens' reports one after the other. A report that cannot
// be posted now is tried again under the same client id, so it arrives once.
type mailbox struct {
	base   string
	log    *slog.Logger
	client *http.Client
	box    *outbox
}

func newMailbox(base string, log *slog.Logger) *mailbox {
	return &mailbox{base: strings.TrimSuffix(base, "/"), log: log, client: &http.Client{Timeout: 20 * time.Second}, box: newOutbox()}
}

func (b *mailbox) put(m Message) { b.box.put(m) }

func (b *mailbox) run(ctx context.Context) {
	for ctx.Err() == nil {
		m, ok := b.box.first()
		if !ok {
			select {
			case <-ctx.Done():
			case <-b.box.filled:
			}
			continue
		}
		again, err := b.post(ctx, m)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("report was not taken", "error", err, "again", again)
		}
		if again {
			pause(ctx, 2*time.Second)
			continue
		}
		b.box.done()
	}
}

// post says whether it is worth trying again.
func (b *mailbox) post(ctx context.Context, m Message) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+m.Topic, bytes.NewReader(m.Payload))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode >= 300 {
		return resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	return false, nil
}
