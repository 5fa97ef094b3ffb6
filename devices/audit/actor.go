package audit

import "context"

// Actor is who acts. The web edge puts it into the context of each request, so
// that a store can record a change without being told by whom.
type Actor struct {
	Who, Role, Address string
	// Why is the reason they gave, if any.
	Why string
}

type actorKey struct{}

// As returns a context in which a acts.
func As(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// by fills in who acts, where the entry does not say: the context's actor, or
// the program itself.
func (e *Entry) by(ctx context.Context) {
	a, known := ctx.Value(actorKey{}).(Actor)
	if !known {
		a.Who = "system"
	}
	if e.Who == "" {
		e.Who, e.Role, e.Address = a.Who, a.Role, a.Address
	}
	if e.Why == "" {
		e.Why = a.Why
	}
}
