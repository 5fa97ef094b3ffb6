package ingest

import (
	"strconv"
	"testing"
	"time"

	"haidang/devices"
)

func deviceID(n int) devices.ID { return devices.ID(strconv.Itoa(n)) }

func TestPace(t *testing.T) {
	now := time.Now()
	p := newPace(now)
	if n, wait := p.allows(true, 1000, now); n != idleBatch || wait != 0 {
		t.Errorf("while nothing is live, %d entries and %v of waiting", n, wait)
	}
	p.spend(bulkBatch)
	p.heard(now)
	n, wait := p.allows(true, 1000, now)
	if n != 0 || wait <= 0 {
		t.Errorf("alone, beside what is live, %d entries and %v of waiting", n, wait)
	}
	if n, _ := p.allows(true, 1000, now.Add(wait)); n < lump {
		t.Errorf("after the wait %d are allowed", n)
	}
	p.spend(bulkBatch)
	now = now.Add(wait + 5*time.Millisecond)
	if n, _ := p.allows(true, 1, now); n < 1 || n >= lump {
		t.Errorf("a lone message waits for others: %d are allowed", n)
	}
	now = now.Add(quiet / 4)
	p.heard(now)
	if n, _ := p.allows(false, 1000, now); n < steady/4 || n > steady/4+lump {
		t.Errorf("in a quarter of a second %d are allowed along with what is live", n)
	}
	now = now.Add(quiet - 1)
	p.heard(now)
	if n, _ := p.allows(false, 1000, now); n != bulkBatch {
		t.Errorf("after a pause %d are allowed, most is %d", n, bulkBatch)
	}
	if p.most(100, now) != bulkBatch || p.most(100, now.Add(quiet)) != idleBatch {
		t.Errorf("a batch holds %d beside what is live, %d else", p.most(100, now), p.most(100, now.Add(quiet)))
	}
	if n, _ := p.allows(true, 1000, now.Add(quiet)); n != idleBatch {
		t.Errorf("when it became quiet %d are allowed", n)
	}
}

// On a shared session what is live comes behind what is not: a steady live flow
// must not keep the bulk lane full.
func TestCrowdedBulkLaneIsNotStarved(t *testing.T) {
	p := &Pipeline{live: newLane(1 << 30), bulk: newLane(1 << 30), patient: newLane(1 << 30)}
	fill := func(l *lane, n int) {
		for range n {
			if err := l.add(t.Context(), &work{elements: make([]element, 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	now := time.Now()
	pace := newPace(now)
	fill(p.live, 10)
	fill(p.bulk, crowd)
	if batch, _ := p.next(pace, now); len(batch) != 10 {
		t.Errorf("beside what is live %d are taken, while few wait", len(batch)-10)
	}
	fill(p.live, 10)
	fill(p.bulk, queueSize-crowd)
	if batch, _ := p.next(pace, now); len(batch) < 10+queueSize/16 {
		t.Errorf("beside what is live %d of %d are taken", len(batch)-10, queueSize)
	}
	rounds := 0
	for ; p.bulk.waiting() > crowd; rounds++ {
		fill(p.live, 10)
		p.next(pace, now)
	}
	if rounds > 50 {
		t.Errorf("a full lane takes %d commits", rounds)
	}
}

// Live readings that come by other ways leave no gap; a session whose window is
// full of what waits in the bulk lane must go on all the same.
func TestBulkLaneHasItsTurn(t *testing.T) {
	p := &Pipeline{live: newLane(1 << 30), bulk: newLane(1 << 30), patient: newLane(1 << 30)}
	now := time.Now()
	pace := newPace(now)
	taken := 0
	for range 100 {
		for _, l := range []*lane{p.live, p.bulk} {
			if err := l.add(t.Context(), &work{elements: make([]element, 1)}); err != nil {
				t.Fatal(err)
			}
		}
		batch, _ := p.next(pace, now)
		taken += len(batch)
		now = now.Add(5 * time.Millisecond)
	}
	if waiting := p.bulk.waiting(); taken+waiting != 200 || waiting > int(patience/(5*time.Millisecond)) {
		t.Errorf("after half a second beside what is live %d of 100 wait", waiting)
	}
}

// However parts are taken, each element comes once, in order, and a cut message
// goes on where it was cut.
func TestLaneTakesEachElementOnce(t *testing.T) {
	for _, cut := range []bool{true, false} {
		l := newLane(1 << 20)
		total := 0
		for i, size := range []int{3, 250, 1, 700, 20} {
			w := &work{id: deviceID(i), elements: make([]element, size)}
			for j := range w.elements {
				w.elements[j].id = deviceID(total + j)
			}
			total += size
			if err := l.add(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		l.put(<-l.queue)
		next := 0
		for _, most := range []int{2, 100, 250, 7, 1000} {
			batch := l.take(most, cut)
			if n := elements(batch); cut && n > most {
				t.Errorf("%d elements taken, most is %d", n, most)
			}
			for _, b := range batch {
				for i := range b.elements {
					if b.elements[i].id != deviceID(next) {
						t.Fatalf("cut %v: element %s comes where %s should", cut, b.elements[i].id, deviceID(next))
					}
					next++
				}
			}
		}
		if next != total || l.waiting() > 0 {
			t.Errorf("cut %v: %d of %d elements came, %d more wait", cut, next, total, l.waiting())
		}
	}
}

func TestLaneOf(t *testing.T) {
	p := &Pipeline{live: newLane(1), bulk: newLane(1), patient: newLane(1), limiter: newLimiter(nil)}
	names := map[*lane]string{p.live: "live", p.bulk: "bulk", p.patient: "patient"}
	live, old, event := element{reading: &Reading{Lateness: LiveNow}}, element{reading: &Reading{Lateness: Backfill}}, element{event: &Event{}}
	long := make([]element, bulkBatch+1)
	for i := range long {
		long[i] = old
	}
	longLive := append([]element{live}, long...)
	for _, test := range []struct {
		name     string
		elements []element
		shared   bool
		want     string
	}{
		{"live", []element{old, live}, true, "live"},
		{"live alone", []element{live}, false, "live"},
		{"event", []element{event}, false, "live"},
		{"refusal", []element{{refusal: &Refusal{}}}, false, "live"},
		{"old", []element{old, old}, false, "patient"},
		{"old, with a refusal", []element{{refusal: &Refusal{}}, old}, false, "patient"},
		{"old, of a session that many share", []element{old}, true, "bulk"},
		{"long and old", long, false, "patient"},
		{"long, with something live", longLive, false, "bulk"},
	} {
		if got := names[p.laneOf(&work{Message: Message{Shared: test.shared}, elements: test.elements})]; got != test.want {
			t.Errorf("%s goes to the lane %s, want %s", test.name, got, test.want)
		}
	}
}
