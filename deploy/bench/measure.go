package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// measure is one table: what is measured, and of whom.
type measure struct {
	part, title string
	figures     []string
	reference   string // the contender that ratios are to; empty: no ratios
	contenders  []contender
}

// contender is one system of a table.
type contender struct {
	name  string
	needs []string // programs that prepare builds or finds
	// round measures once. dir is the round's own, and is removed after it.
	round func(ctx context.Context, dir string) (map[string]float64, error)
}

// of makes contenders of systems that are started before they are measured.
func (b *bench) of(measure func(context.Context, *system) (map[string]float64, error), kinds ...kind) (cs []contender) {
	for _, k := range kinds {
		cs = append(cs, contender{k.name, k.needs, func(ctx context.Context, dir string) (map[string]float64, error) {
			s, err := k.start(ctx, b, dir)
			if s != nil {
				defer s.stop()
			}
			if err != nil {
				return nil, err
			}
			return measure(ctx, s)
		}})
	}
	return cs
}

// measure goes round by round, and in each from system to system, and prints
// the table.
func (b *bench) measure(ctx context.Context, m measure) error {
	r := newResults()
	names := make([]string, len(m.contenders))
	for round := range b.reps {
		for i, c := range m.contenders {
			names[i] = c.name
			figures, err := b.round(ctx, c)
			fmt.Fprintf(os.Stderr, "%s %d/%d %s: %v %v\n", m.part, round+1, b.reps, c.name, figures, err)
			r.add(c.name, figures, err)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	r.write(os.Stdout, m.title, names, m.figures, m.reference)
	return nil
}

func (b *bench) round(ctx context.Context, c contender) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp(b.dir, "round-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return c.round(ctx, dir)
}
