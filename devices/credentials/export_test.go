package credentials

// Remembered is of how many the guesses are counted.
func (s *Store) Remembered() int {
	s.guesses.mu.Lock()
	defer s.guesses.mu.Unlock()
	return len(s.guesses.by)
}
