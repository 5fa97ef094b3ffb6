package live

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestAlertsAreToldOnceAndInOrderToEveryScreen(t *testing.T) {
	r := newRoom(t, nil)
	r.change("before", "")
	screens := make([]*screen, 10)
	for i := range screens {
		screens[i] = r.screen(nil)
		screens[i].say(`{"type":"subscribe","channel":"alerts"}`)
		f := screens[i].hear()
		if f.Type != "snapshot" || f.Seq != 1 || len(f.Items) != 1 || f.Epoch != r.log.Epoch() {
			t.Fatalf("first frame: %+v", f)
		}
	}
	for i := range 300 {
		r.change(fmt.Sprintf("a%d", i%7), fmt.Sprint(i))
	}
	for i, s := range screens {
		for next := int64(2); next <= 301; {
			f := s.hear()
			for _, it := range f.Items {
				if it.Seq != next {
					t.Fatalf("screen %d got change %d where %d was next", i, it.Seq, next)
				}
				next++
			}
			if f.Seq != next-1 {
				t.Fatalf("a frame says %d and ends with %d", f.Seq, next-1)
			}
		}
	}
}

// What changes while a snapshot is read is in it, and not told again.
func TestChangeDuringASnapshotIsToldOnce(t *testing.T) {
	r := newRoom(t, nil)
	r.change("a", "1")
	r.between = sync.OnceFunc(func() { r.change("a", "2"); r.change("b", "3") })
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"alerts"}`)
	if f := s.hear(); f.Type != "snapshot" || f.Seq != 1 || len(f.Items) != 2 {
		t.Fatalf("first frame: %+v", f)
	}
	r.change("a", "4")
	for at := int64(1); at < 4; {
		f := s.hear()
		for _, it := range f.Items {
			if it.Seq != 4 {
				t.Errorf("change %d is told again", it.Seq)
			}
		}
		at = f.Seq
	}
}

// A screen that comes and goes at random moments, while changes are made,
// misses nothing and hears nothing twice.
func TestResumeBySinceMissesNothing(t *testing.T) {
	r := newRoom(t, nil)
	const total = 400
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range total {
			r.change(fmt.Sprintf("a%d", i%11), "")
		}
	})
	defer wg.Wait()
	at := int64(0)
	for visits := 0; at < total; visits++ {
		s := r.screen(nil)
		s.say(`{"type":"subscribe","channel":"alerts","since":%d,"epoch":%q}`, at, r.log.Epoch())
		for range 1 + rnd.IntN(4) {
			if at == total {
				break
			}
			f := s.hear()
			if f.Type != "delta" {
				t.Fatalf("visit %d: got a %s", visits, f.Type)
			}
			for _, it := range f.Items {
				if it.Seq != at+1 {
					t.Fatalf("visit %d: got change %d after %d", visits, it.Seq, at)
				}
				at = it.Seq
			}
		}
		s.conn.Close()
	}
}

func TestWhatCannotBeResumedStartsWithASnapshot(t *testing.T) {
	r := newRoom(t, nil)
	for i := range 20 {
		r.change(fmt.Sprint("a", i), "")
	}
	if err := r.log.Trim(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		since int64
		epoch string
		want  string
	}{
		"another epoch":         {18, "of-another-database", "snapshot"},
		"no longer kept":        {3, r.log.Epoch(), "snapshot"},
		"never given out":       {99, r.log.Epoch(), "snapshot"},
		"negative":              {-1, r.log.Epoch(), "snapshot"},
		"kept":                  {18, r.log.Epoch(), "delta"},
		"kept, no epoch":        {18, "", "delta"},
		"just before the first": {15, r.log.Epoch(), "delta"},
	} {
		t.Run(name, func(t *testing.T) {
			s := r.screen(nil)
			s.say(`{"type":"subscribe","channel":"alerts","since":%d,"epoch":%q}`, c.since, c.epoch)
			f := s.hear()
			if f.Type != c.want || f.Seq != 20 || f.Epoch != r.log.Epoch() {
				t.Errorf("got %s at %d of epoch %s", f.Type, f.Seq, f.Epoch)
			}
			if c.want == "snapshot" && len(f.Items) != 20 {
				t.Errorf("the snapshot has %d items", len(f.Items))
			}
		})
	}
}

// One screen stops reading. The others get all at once, and it is sent away
// with 4008, to resume from its last number.
func TestSlowScreenIsSentAwayAndOthersAreNot(t *testing.T) {
	r := newRoom(t, func(h *Hub) { h.slowAfter = 200 * time.Millisecond })
	slow, quick := r.screen(nil), r.screen(nil)
	for _, s := range []*screen{slow, quick} {
		s.say(`{"type":"subscribe","channel":"alerts","since":0,"epoch":%q}`, r.log.Epoch())
	}
	const changes = 100
	text := strings.Repeat("x", 16<<10) // together more than the sockets between hold
	heard := make(chan time.Duration, 1)
	go func() {
		start := time.Now()
		for n := int64(0); n < changes; {
			f, err := quick.try()
			if err != nil {
				t.Errorf("the quick screen: %v", err)
				break
			}
			n = f.Seq
		}
		heard <- time.Since(start)
	}()
	for range changes {
		r.change("a", text)
	}
	t.Logf("the quick screen had all after %v", <-heard)
	time.Sleep(300 * time.Millisecond)
	at := int64(0)
	for {
		f, err := slow.try()
		if err != nil {
			if !websocket.IsCloseError(err, closeSlow) {
				t.Fatalf("the slow screen ended with %v", err)
			}
			break
		}
		for _, it := range f.Items {
			if it.Seq != at+1 {
				t.Fatalf("change %d after %d", it.Seq, at)
			}
			at = it.Seq
		}
	}
	if at == changes {
		t.Fatal("the slow screen had everything; it was never slow")
	}
	again := r.screen(nil)
	again.say(`{"type":"subscribe","channel":"alerts","since":%d,"epoch":%q}`, at, r.log.Epoch())
	for at < changes {
		for _, it := range again.hear().Items {
			if it.Seq != at+1 {
				t.Fatalf("after resuming: change %d after %d", it.Seq, at)
			}
			at = it.Seq
		}
	}
}

// A screen that is behind is sent the newest of each device, in one frame, and
// then meets the others again.
func TestPositionsOfASlowScreenAreMerged(t *testing.T) {
	r := newRoom(t, nil)
	r.device("v1", 17.5, 106.6)
	r.device("v2", 17.6, 106.6)
	slow, quick := r.screen(nil), r.screen(nil)
	for _, s := range []*screen{slow, quick} {
		s.say(`{"type":"subscribe","channel":"map","zoom":9}`)
		if f := s.hear(); f.Type != "snapshot" || len(f.Items) != 2 {
			t.Fatalf("first frame: %+v", f)
		}
	}
	var c *client
	r.hub.each(func(x *client) {
		if x.conn.RemoteAddr().String() == slow.conn.LocalAddr().String() {
			c = x
		}
	})
	c.mu.Lock() // its writer cannot take anything meanwhile
	for i := range 50 {
		r.reading([]string{"v1", "v2"}[i%2], 17.5, 106.6, float64(i+1))
		quick.until(func(f frame) bool { return f.Items[0].Values["speed_kn"] == float64(i+1) })
	}
	c.mu.Unlock()
	f := slow.hear()
	if len(f.Items) != 2 || f.Items[0].Values["speed_kn"] != 49 || f.Items[1].Values["speed_kn"] != 50 {
		t.Errorf("the slow screen got %+v", f)
	}
	r.reading("v1", 17.5, 106.6, 51)
	for _, s := range []*screen{slow, quick} {
		if f := s.hear(); len(f.Items) != 1 || f.Items[0].Values["speed_kn"] != 51 {
			t.Errorf("afterwards: %+v", f)
		}
	}
}

func TestMapFollowsOnlyWhatIsInTheBox(t *testing.T) {
	r := newRoom(t, nil)
	r.device("in", 17.5, 106.6)
	r.device("out", 10, 110)
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"map","zoom":9,"bbox":[106,17,107,18]}`)
	if f := s.hear(); len(f.Items) != 1 || f.Items[0].ID != "in" {
		t.Fatalf("snapshot: %+v", f)
	}
	r.reading("out", 10.1, 110, 1)
	r.reading("in", 17.6, 106.6, 4)
	f := s.hear()
	if len(f.Items) != 1 || f.Items[0].ID != "in" || f.Items[0].Values["speed_kn"] != 4 {
		t.Fatalf("delta: %+v", f)
	}
	r.reading("in", 19, 108, 5) // leaves: told once, or its marker would stay
	f = s.until(func(f frame) bool { return f.Items[0].Lat == 19 })
	r.reading("in", 19.1, 108, 6)
	r.reading("out", 17.5, 106.5, 7) // comes in
	if f = s.hear(); f.Items[0].ID != "out" {
		t.Errorf("after it left: %+v", f)
	}
}

func TestFarViewGetsClustersThatAddUp(t *testing.T) {
	r := newRoom(t, nil)
	for i := range clusterOver + 1 {
		r.device(fmt.Sprintf("v%d", i), 17+float64(i%20)*0.05, 106+float64(i/20)*0.04)
	}
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"map","zoom":5}`)
	f, n := s.hear(), 0
	for _, it := range f.Items {
		if it.K != "c" {
			t.Fatalf("not a cluster: %+v", it)
		}
		n += it.N
	}
	if n != clusterOver+1 || len(f.Items) > 100 {
		t.Errorf("%d clusters hold %d devices", len(f.Items), n)
	}
	s.say(`{"type":"subscribe","channel":"map","zoom":9}`)
	s.until(func(f frame) bool { return len(f.Items) == clusterOver+1 && f.Items[0].K == "d" })
}

func TestRequestsThatCannotBeMet(t *testing.T) {
	r := newRoom(t, nil)
	s := r.screen(http.Header{"X-Not": {"alerts"}})
	for say, want := range map[string]string{
		`{"type":"subscribe","channel":"alerts"}`:           "forbidden",
		`{"type":"subscribe","channel":"weather"}`:          "unknown_channel",
		`{"type":"shout"}`:                                  "bad_request",
		`[1,2`:                                              "bad_request",
		`{"type":"subscribe","channel":7}`:                  "bad_request",
		`{"type":"subscribe","channel":"map","bbox":"all"}`: "bad_request",
	} {
		s.say("%s", say)
		if f := s.hear(); f.Type != "error" || f.Code != want || f.Message == "" {
			t.Errorf("%s: %+v", say, f)
		}
	}
	s.say(`{"type":"ping"}`)
	if f := s.hear(); f.Type != "pong" {
		t.Errorf("to a ping: %+v", f)
	}
	s.say(`{"type":"subscribe","channel":"stats"}`)
	if f := s.hear(); f.Channel != "stats" || f.Items[0].N != 7 {
		t.Errorf("statistics: %+v", f)
	}
	s.say(`{"type":"ping","pad":%q}`, strings.Repeat("x", maxRequest))
	for {
		if _, err := s.try(); err != nil {
			if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
				t.Errorf("after a request that is too large: %v", err)
			}
			break
		}
	}
}

func TestAnotherOriginIsRefused(t *testing.T) {
	r := newRoom(t, nil)
	_, res, err := websocket.DefaultDialer.Dial(r.url, http.Header{"Origin": {"https://elsewhere.example"}})
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a page elsewhere could connect: %v", err)
	}
}

func TestStoppingSendsScreensToComeBack(t *testing.T) {
	r := newRoom(t, nil)
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"alerts"}`)
	s.hear()
	go r.stop()
	if _, err := s.try(); !websocket.IsCloseError(err, closeGoingAway) {
		t.Errorf("ended with %v", err)
	}
}

// From the journal's commit to the JSON at each of ten screens.
func TestLatencyToTenScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	r := newRoom(t, nil)
	const fleet, rounds = 200, 300
	for i := range fleet {
		r.device(fmt.Sprintf("v%d", i), 17.5, 106.6)
	}
	var mu sync.Mutex
	sent := map[float64]time.Time{}
	var took []time.Duration
	var wg sync.WaitGroup
	for range 10 {
		s := r.screen(nil)
		s.say(`{"type":"subscribe","channel":"map","zoom":9}`)
		s.hear()
		wg.Go(func() {
			for last := 0.0; last < rounds; {
				f, err := s.try()
				if err != nil {
					t.Error(err)
					return
				}
				now := time.Now()
				mu.Lock()
				for _, it := range f.Items {
					if v := it.Values["speed_kn"]; v > 0 {
						took, last = append(took, now.Sub(sent[v])), max(last, v)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range rounds {
		mu.Lock()
		sent[float64(i+1)] = time.Now()
		mu.Unlock()
		r.reading(fmt.Sprintf("v%d", i%fleet), 17.5, 106.6, float64(i+1))
		time.Sleep(2 * time.Millisecond)
	}
	wg.Wait()
	slices.Sort(took)
	p := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))] }
	t.Logf("%d deliveries to 10 screens: p50 %v, p99 %v, most %v", len(took), p(0.5), p(0.99), p(1))
	if p(0.99) > time.Second {
		t.Errorf("p99 is %v", p(0.99))
	}
}

func TestAStoppedHubTakesNobody(t *testing.T) {
	h := NewHub(Options{})
	h.stop()
	if h.enter() {
		t.Error("a stopped hub let somebody in")
	}
}

// Who asks without end is let go; asking as a screen does is not.
func TestScreenThatAsksWithoutEndIsLetGo(t *testing.T) {
	r := newRoom(t, nil)
	conn, _, err := websocket.DefaultDialer.Dial(r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		for range 10 * askBurst {
			if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"map"}`)) != nil {
				return
			}
		}
	}()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
				t.Errorf("it ends with %v", err)
			}
			return
		}
	}
}
