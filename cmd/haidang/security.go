package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// severity says how soon a weakness wants somebody's hand.
type severity int

// Critical: whoever finds it is in. High: one more step away. Medium: it makes
// another fault worse. Low: good to know.
const (
	low severity = iota
	medium
	high
	critical
)

var severityNames = [...]string{low: "low", medium: "medium", high: "high", critical: "critical"}

// String is its name.
func (s severity) String() string { return severityNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// finding is one weakness of a configuration, of the files that it names or of
// the data.
type finding struct {
	Severity severity `json:"severity"`
	ID       string   `json:"id"`    // what it is, for programs
	Where    string   `json:"where"` // an option, a file, or what of the data
	Line     int      `json:"line,omitempty"`
	What     string   `json:"what"`
	Why      string   `json:"why"`
	Do       string   `json:"do"`
}

// survey looks for weaknesses and gathers them.
type survey struct {
	cfg   Config
	path  string // of the configuration; empty: defaults and the environment
	lines map[string]int
	now   time.Time

	Findings []finding `json:"findings"`
	// Unseen is what could not be looked at.
	Unseen []string `json:"not_looked_at,omitempty"`
}

func (s *survey) find(f finding) {
	f.Line = s.lines[f.Where]
	s.Findings = append(s.Findings, f)
}

func (s *survey) unseen(format string, args ...any) {
	s.Unseen = append(s.Unseen, fmt.Sprintf(format, args...))
}

// newSurvey looks at everything; the data folder is only read.
func newSurvey(ctx context.Context, cfg Config, path string, now time.Time) (*survey, error) {
	s := &survey{cfg: cfg, path: path, now: now, lines: map[string]int{}, Findings: []finding{}}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		s.lines = optionLines(string(text))
	}
	s.edge()
	s.tokens()
	s.signIn()
	s.outside(ctx)
	s.sources()
	s.certificates()
	s.files()
	s.data(ctx)
	slices.SortStableFunc(s.Findings, func(a, b finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return s, nil
}

// worst is the severity of the worst finding; none are low.
func (s *survey) worst() (w severity) {
	for _, f := range s.Findings {
		w = max(w, f.Severity)
	}
	return w
}

// print is for people: the worst first.
func (s *survey) print(out io.Writer) {
	for _, f := range s.Findings {
		where := f.Where
		if f.Line > 0 {
			where += fmt.Sprintf(" (%s:%d)", s.path, f.Line)
		}
		fmt.Fprintf(out, "%-8s  %s\n          %s\n          %s\n          → %s\n", strings.ToUpper(f.Severity.String()), where, f.What, f.Why, f.Do)
	}
	for _, u := range s.Unseen {
		fmt.Fprintf(out, "not looked at: %s\n", u)
	}
	fmt.Fprintf(out, "%d weaknesses: ", len(s.Findings))
	for sev := critical; sev >= low; sev-- {
		n := 0
		for _, f := range s.Findings {
			if f.Severity == sev {
				n++
			}
		}
		fmt.Fprintf(out, "%d %s", n, sev)
		if sev > low {
			fmt.Fprint(out, ", ")
		}
	}
	fmt.Fprintln(out)
}

// checkSecurity runs a survey and prints it. The error, with a finding that is
// high or critical, ends the program with status 1.
func checkSecurity(ctx context.Context, cfg Config, path string, asJSON bool, out io.Writer) error {
	s, err := newSurvey(ctx, cfg, path, time.Now())
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(s); err != nil {
			return err
		}
	} else {
		s.print(out)
	}
	if w := s.worst(); w >= high && len(s.Findings) > 0 {
		return fmt.Errorf("this configuration has a weakness that is %s", w)
	}
	return nil
}

var (
	tableForm  = regexp.MustCompile(`^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]`)
	optionForm = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+)\s*=`)
)

// optionLines says on which line of a TOML file each option is: "tls.cert",
// "tokens[0].role", and "tokens[0]" for where that begins.
func optionLines(text string) map[string]int {
	at, table, counts := map[string]int{}, "", map[string]int{}
	sc := bufio.NewScanner(strings.NewReader(text))
	for n := 1; sc.Scan(); n++ {
		if m := tableForm.FindStringSubmatch(sc.Text()); m != nil {
			table = m[2]
			if m[1] == "[[" {
				table = fmt.Sprintf("%s[%d]", m[2], counts[m[2]])
				counts[m[2]]++
			}
			at[table] = n
			table += "."
		} else if m := optionForm.FindStringSubmatch(sc.Text()); m != nil {
			at[table+m[1]] = n
		}
	}
	return at
}
