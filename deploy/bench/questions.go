package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// asker asks a database over HTTP for the means of askedMetric.
type asker struct {
	page  func(device string, from, to time.Time, window time.Duration) string
	means func(body []byte) ([]float64, error)
}

// How many questions are asked, of devices at random, before and while the
// clock runs.
const (
	warmQuestions = 20
	questions     = 200
)

// figures asks for the last day and for the whole month. Each answer must have
// all its windows, and that of one device the right means.
func (p *past) figures(ctx context.Context, ask asker) (map[string]float64, error) {
	figures := map[string]float64{}
	for _, q := range []struct {
		name   string
		span   time.Duration
		window time.Duration
	}{{"24 h by 5 min", 24 * time.Hour, 5 * time.Minute}, {"30 d by 1 h", pastDays * 24 * time.Hour, time.Hour}} {
		from := p.until.Add(-q.span)
		body, err := get(ask.page(p.id(0), from, p.until, q.window))
		if err != nil {
			return nil, err
		}
		got, err := ask.means(body)
		if err != nil {
			return nil, err
		}
		if err := alike(got, p.means(0, from, p.until, q.window)); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		random := rand.New(rand.NewPCG(3, 4))
		var took []float64
		for n := range warmQuestions + questions {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			page := ask.page(p.id(random.IntN(p.devices)), from, p.until, q.window)
			begin := time.Now()
			body, err := get(page)
			if err != nil {
				return nil, err
			}
			if n >= warmQuestions {
				took = append(took, sinceMs(begin))
			}
			if means, err := ask.means(body); err != nil || len(means) != len(got) {
				return nil, fmt.Errorf("%s: an answer has %d windows, not %d (%v)", q.name, len(means), len(got), err)
			}
		}
		slices.Sort(took)
		figures[q.name+" p50 ms"], figures[q.name+" p95 ms"] = quantile(took, 0.5), quantile(took, 0.95)
	}
	return figures, nil
}

// alike compares means that were added up in another order.
func alike(got, want []float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("the answer has %d windows, not %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-9+1e-6*math.Abs(want[i]) {
			return fmt.Errorf("window %d has the mean %v, not %v", i, got[i], want[i])
		}
	}
	return nil
}

// seriesMeans reads haidang's answer.
func seriesMeans(body []byte) ([]float64, error) {
	var answer struct{ Items []struct{ Mean *float64 } }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read haidang's answer: %w", err)
	}
	ms := make([]float64, len(answer.Items))
	for i, it := range answer.Items {
		if it.Mean == nil {
			return nil, fmt.Errorf("window %d has no mean", i)
		}
		ms[i] = *it.Mean
	}
	return ms, nil
}

// register makes a device known, so that it can be asked for.
func register(base, id string) error {
	body, err := json.Marshal(map[string]string{"id": id, "type": "generic", "name": id})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, base+"/api/v1/devices", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = signedIn.Clone()
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("register %s: %w", id, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("register %s: %s: %s", id, resp.Status, said)
	}
	return nil
}
