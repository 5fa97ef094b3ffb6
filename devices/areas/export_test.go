package areas

// Try is the store as it would be after an import, in memory alone.
func (s *Store) Try(file []byte) (*Preview, *Store) {
	x := s.now.Load()
	p, edits := x.preview(file)
	if p.ErrorCount > 0 {
		return p, s
	}
	after := &Store{}
	after.now.Store(newIndex(x.with(edits), x.revision+1))
	return p, after
}
