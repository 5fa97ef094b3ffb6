package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// stack is what must be closed, last opened first. It is filled right after
// each thing is opened, so that a start that ends half-way unwinds too.
type stack struct {
	log   *slog.Logger
	steps []closing
}

type closing struct {
	name string
	fn   func() error
}

func (s *stack) add(name string, fn func() error) { s.steps = append(s.steps, closing{name, fn}) }

// unwind closes everything. A step that hangs is named and left after ten
// seconds: the journal needs no orderly end.
func (s *stack) unwind() error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		st := s.steps[i]
		done := make(chan error, 1)
		go func() { done <- st.fn() }()
		select {
		case err := <-done:
			if err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", st.name, err))
			}
		case <-time.After(10 * time.Second):
			errs = append(errs, fmt.Errorf("close %s: it did not end within 10 s", st.name))
		}
	}
	s.steps = nil
	return errors.Join(errs...)
}
