package health

import "time"

// Span is a stretch of time; To is not in it.
type Span struct{ From, To time.Time }

// Length is 0 for a span that ends before it begins.
func (s Span) Length() time.Duration { return max(0, s.To.Sub(s.From)) }

// within is the part of s that lies in o.
func (s Span) within(o Span) Span {
	if s.From.Before(o.From) {
		s.From = o.From
	}
	if s.To.After(o.To) {
		s.To = o.To
	}
	return s
}

// overlap is how much of s lies in spans, of which none touch each other.
func (s Span) overlap(spans []Span) (sum time.Duration) {
	for _, o := range spans {
		sum += s.within(o).Length()
	}
	return sum
}
