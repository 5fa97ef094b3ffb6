package main

import (
	"fmt"
	"io"
	"slices"
)

// results holds the rounds of one measurement: by system, by figure.
type results struct {
	rounds   map[string]map[string][]float64
	problems map[string]string
}

func newResults() *results {
	return &results{map[string]map[string][]float64{}, map[string]string{}}
}

func (r *results) add(system string, figures map[string]float64, err error) {
	if err != nil {
		r.problems[system] = err.Error()
		return
	}
	if r.rounds[system] == nil {
		r.rounds[system] = map[string][]float64{}
	}
	for name, v := range figures {
		r.rounds[system][name] = append(r.rounds[system][name], v)
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

// quantile is the value below which that share of sorted values lies.
func quantile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// write prints a Markdown table: median [smallest–largest], and for the first
// figure the ratio to the reference system.
func (r *results) write(w io.Writer, title string, systems, figures []string, reference string) {
	fmt.Fprintf(w, "\n### %s\n\n| system |", title)
	for _, f := range figures {
		fmt.Fprintf(w, " %s |", f)
		if reference != "" {
			fmt.Fprint(w, " ratio |")
		}
	}
	fmt.Fprint(w, " rounds |\n|---|")
	for range figures {
		fmt.Fprint(w, "---|")
		if reference != "" {
			fmt.Fprint(w, "---|")
		}
	}
	fmt.Fprint(w, "---|\n")
	for _, s := range systems {
		if r.rounds[s] == nil {
			if problem, ok := r.problems[s]; ok {
				fmt.Fprintf(w, "| %s | not measured: %s |\n", s, firstLine(problem))
			}
			continue
		}
		fmt.Fprintf(w, "| %s |", s)
		n := 0
		for _, f := range figures {
			values := r.rounds[s][f]
			if n = max(n, len(values)); len(values) == 0 { // it has no such figure
				fmt.Fprint(w, " – |")
				if reference != "" {
					fmt.Fprint(w, " – |")
				}
				continue
			}
			fmt.Fprintf(w, " %s [%s–%s] |", figure(median(values)), figure(slices.Min(values)), figure(slices.Max(values)))
			if reference != "" {
				if base := median(r.rounds[reference][f]); base > 0 {
					fmt.Fprintf(w, " %.2f |", median(values)/base)
				} else {
					fmt.Fprint(w, " – |")
				}
			}
		}
		fmt.Fprintf(w, " %d |\n", n)
	}
	for _, s := range systems {
		if problem, ok := r.problems[s]; ok && r.rounds[s] != nil {
			fmt.Fprintf(w, "\nA round of %s failed: %s\n", s, firstLine(problem))
		}
	}
}

func figure(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2fM", v/1e6)
	case v >= 1000:
		return fmt.Sprintf("%.1fk", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func firstLine(s string) string {
	for i, r := range s {
		if r == '\n' || i > 300 {
			return s[:i]
		}
	}
	return s
}
