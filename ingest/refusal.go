package ingest

// Refusal is why a message could not be taken. It is the error of decoders and
// checks, becomes the dead letter's reason, and is told to the sender.
type Refusal struct {
	Stage   Stage
	Code    string
	Message string
}

func (r *Refusal) Error() string { return r.Message }

// at is the refusal, if r is one, with the place it speaks of, which may be empty.
func (r *Refusal) at(where string) *Refusal {
	if r == nil || where == "" {
		return r
	}
	return &Refusal{r.Stage, r.Code, where + ": " + r.Message}
}
