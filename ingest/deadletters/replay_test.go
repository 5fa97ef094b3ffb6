package deadletters

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"

	"haidang/ingest"
)

// halt stands for a pipeline whose end, the commit, does not come by itself.
type halt struct {
	sent []ingest.Message
	sum  Replayed
}

func (h *halt) Submit(_ context.Context, m ingest.Message) error {
	h.sent = append(h.sent, m)
	return nil
}

// replay runs until all is done; stop is called whenever the replay waits for
// the ends of what it has sent.
func (h *halt) replay(t *testing.T, s *Store, f Filter, format func(string) (*ingest.Format, bool), stop func()) {
	done := make(chan error, 1)
	go func() {
		var err error
		h.sum, err = s.Replay(t.Context(), f, h, format)
		done <- err
	}()
	for {
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		stop()
		sent := h.sent
		h.sent = nil
		for _, m := range sent {
			m.Done(ingest.Outcome{Stored: 1})
		}
	}
}

// However long the letters are, only so many bytes of them are on their way at
// once; however short, only so many letters.
func TestReplayIsBoundedByBytesAndLetters(t *testing.T) {
	for _, c := range []struct{ letters, bytes, atOnce int }{
		{3, ingest.MaxForeign, windowBytes / ingest.MaxForeign},
		{window + 9, HeadBytes + 1, window},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "dead.db"))
			ls := make([]ingest.DeadLetter, c.letters)
			for i := range ls {
				ls[i].Payload = make([]byte, c.bytes)
			}
			add(t, s, ls...)
			h, most := &halt{}, 0
			h.replay(t, s, Filter{}, nil, func() {
				most = max(most, len(h.sent))
				for _, m := range h.sent {
					if len(m.Payload) != c.bytes {
						t.Errorf("a payload of %d bytes is sent as %d", c.bytes, len(m.Payload))
					}
				}
			})
			if h.sum.Letters != c.letters || h.sum.Stored != c.letters || most != c.atOnce {
				t.Errorf("%d letters of %d bytes: %+v, at most %d at once", c.letters, c.bytes, h.sum, most)
			}
			if got := fmt.Sprint(ids(t, s, Filter{Status: "new"})); got != "[]" {
				t.Errorf("after a replay %s are new", got)
			}
		})
	}
}

// What was cut when it was kept, or belongs to a decoder that is gone, stays.
func TestReplayLeavesWhatCannotBeTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "dead.db"))
		add(t, s, ingest.DeadLetter{Payload: []byte("x")}, ingest.DeadLetter{Payload: []byte("x"), Format: "gone"})
		if err := s.Add(t.Context(), []ingest.DeadLetter{{Payload: []byte("x"), Size: 2, Status: "new"}}); err != nil {
			t.Fatal(err)
		}
		h := &halt{}
		h.replay(t, s, Filter{}, func(string) (*ingest.Format, bool) { return nil, false }, func() {})
		if got := fmt.Sprint(ids(t, s, Filter{Status: "new"})); got != "[3 2]" || h.sum.Letters != 1 {
			t.Errorf("new are %s after %+v", got, h.sum)
		}
	})
}
