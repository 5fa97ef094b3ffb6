package credentials

import (
	"context"
	"database/sql"
	"maps"
	"time"

	"haidang/devices"
)

const (
	// lookEvery is how late a credential may begin or end.
	lookEvery = 200 * time.Millisecond
	// revokedEvery is how late is known what the command line revoked.
	revokedEvery = 500 * time.Millisecond
	// saveEvery is how often it is written what was used: ten thousand devices
	// that come back shall not be ten thousand commits.
	saveEvery = time.Minute
)

// Run tells the watchers when credentials begin and end by themselves, and
// writes which were used; what cannot be written now is tried again. It ends
// with ctx.
func (s *Store) Run(ctx context.Context) error {
	look, revoked, save := time.NewTicker(lookEvery), time.NewTicker(revokedEvery), time.NewTicker(saveEvery)
	defer look.Stop()
	defer revoked.Stop()
	defer save.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			s.trySave(context.WithoutCancel(ctx))
			return ctx.Err()
		case now := <-look.C:
			for _, id := range s.turned(last, now) {
				s.Changed(id)
			}
			last = now
		case <-revoked.C:
			ids, err := s.loadRevoked(ctx)
			if err != nil && ctx.Err() == nil {
				s.o.Log.Warn("it is not known whether certificates were revoked", "component", "credentials", "error", err)
			}
			for _, id := range ids {
				s.Changed(id)
			}
		case <-save.C:
			s.trySave(ctx)
		}
	}
}

func (s *Store) trySave(ctx context.Context) {
	if err := s.save(ctx); err != nil {
		s.o.Log.Warn("it was not written which credentials were used", "component", "credentials", "error", err)
	}
}

// turned are the devices of which a credential began or ended in (last, now].
func (s *Store) turned(last, now time.Time) (ids []devices.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.timed {
		state := c.State(now)
		if state == c.State(last) {
			continue
		}
		ids = append(ids, c.Device)
		switch {
		case state == Expired:
			s.forget(c)
		case c.NotAfter.IsZero(): // it began, and has no end
			delete(s.timed, c.ID)
		}
	}
	return ids
}

// save writes when credentials were used, and hashes that were made anew.
func (s *Store) save(ctx context.Context) error {
	s.mu.RLock()
	used, fresh, shown := maps.Clone(s.used), maps.Clone(s.fresh), maps.Clone(s.shown)
	s.mu.RUnlock()
	if len(used)+len(fresh)+len(shown) == 0 {
		return nil
	}
	err := s.inTx(ctx, "write what credentials were used", func(tx *sql.Tx) error {
		for id, at := range used {
			if _, err := tx.ExecContext(ctx, `UPDATE credential SET used_at=? WHERE id=?`, toMs(at), id); err != nil {
				return err
			}
		}
		for id, c := range fresh {
			if _, err := tx.ExecContext(ctx, `UPDATE credential SET hash=?, mosquitto=? WHERE id=?`, c.hash, c.mosquitto, id); err != nil {
				return err
			}
		}
		for _, c := range shown {
			if err := putCertificate(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.used, func(id int64, at time.Time) bool { return at.Equal(used[id]) })
	maps.DeleteFunc(s.fresh, func(id int64, c *Credential) bool { return c == fresh[id] })
	maps.DeleteFunc(s.shown, func(f string, c *Certificate) bool { return c == shown[f] })
	return nil
}
