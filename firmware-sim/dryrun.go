package firmwaresim

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// DryRun writes the first length of a stream as JSON lines, as fast as it
// can and without any connection.
func DryRun(w io.Writer, s *Scenario, opts StreamOptions, length time.Duration) error {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	st := NewStream(s, opts)
	for m := st.Next(); m.At <= length; m = st.Next() {
		if err := lines.Encode(m); err != nil {
			return err
		}
	}
	return out.Flush()
}
