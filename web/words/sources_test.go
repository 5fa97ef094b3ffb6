package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"haidang/devices/retention"
)

// told are the rooms whose errors people are shown.
var told = []string{"devices", "ingest", "alerts", "web"}

// plainErrors are the packages whose errors become reasons by err.Error().
var plainErrors = []string{"devices/areas", "devices/agencies", "devices/sheet", "devices/table", "devices/calendars"}

// reasonsOf are functions that return a reason last, which somebody else tells.
var reasonsOf = []string{"closed", "Heir"}

// forTheLog are sentences that nobody but who runs the program reads.
var forTheLog = []string{"read the areas that ship: row %d, %s: %s", "the table was refused"}

// Every sentence that people are shown is in the catalogue.
func TestEveryReasonHasItsVietnamese(t *testing.T) {
	sentences, words := catalogued(t)
	found := collect(t)
	if len(found) < 350 {
		t.Fatalf("only %d sentences were found: the test looks for them wrongly", len(found))
	}
	for _, english := range slices.Sorted(maps.Keys(found)) {
		if sentences[english] == "" && !slices.Contains(forTheLog, english) {
			t.Errorf("%s: vi.json has not %q", found[english], english)
		}
	}
	for status := 400; status < 600; status++ {
		delete(sentences, http.StatusText(status))
	}
	for english := range sentences {
		if found[english] == "" && !slices.ContainsFunc(elsewhere, func(x string) bool { return strings.HasPrefix(english, x) }) {
			t.Errorf("vi.json has %q, which nothing says any more", english)
		}
	}
	classes, err := retention.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range classes {
		if words[c.Law.EN] != c.Law.VI {
			t.Errorf("the law of the class %s is %q in Vietnamese, not %q", c.ID, c.Law.VI, words[c.Law.EN])
		}
	}
}

// elsewhere are the beginnings of sentences of the standard library, and of such
// as are put together where the test does not see it.
var elsewhere = []string{"json: ", "invalid character ", "unexpected E", "unexpected end of JSON", "wrong number of fields", `bare "`, "extraneous or missing",
	"%s: conflict", "%s: changed since", "%s: not found", "bad request: %s", "conflict", "changed since", "not found", "the file begins as UTF-16"}

// source is a package, and what was found in it.
type source struct {
	t     *testing.T
	dir   string
	set   *token.FileSet
	files []*ast.File
	funcs map[string]*ast.FuncDecl
	found map[string]string
}

// collect finds the sentences that people are shown, as their fmt patterns, and
// where each is.
func collect(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, room := range told {
		err := filepath.WalkDir("../../"+room, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			s := &source{t: t, dir: strings.TrimPrefix(filepath.ToSlash(path), "../../"), set: token.NewFileSet(), funcs: map[string]*ast.FuncDecl{}, found: found}
			return s.read(path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func (s *source) read(path string) error {
	names, err := filepath.Glob(path + "/*.go")
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
		for _, d := range f.Decls {
			if fn, is := d.(*ast.FuncDecl); is && fn.Body != nil {
				s.funcs[fn.Name.Name] = fn
			}
		}
	}
	makers := map[string]int{}
	for name, fn := range s.funcs {
		if at, is := reasonParameter(fn.Type, fn.Body); is {
			makers[name] = at
		}
	}
	for _, f := range s.files {
		for _, d := range f.Decls {
			fn, _ := d.(*ast.FuncDecl)
			s.walk(d, fn, makers)
		}
	}
	return nil
}

// walk finds the sentences of one declaration. makers are functions that make an
// error of one of their parameters.
func (s *source) walk(d ast.Decl, fn *ast.FuncDecl, makers map[string]int) {
	makers = maps.Clone(makers)
	ast.Inspect(d, func(n ast.Node) bool { // closures first: bad := func(…)
		if as, ok := n.(*ast.AssignStmt); ok && len(as.Lhs) == 1 && len(as.Rhs) == 1 {
			id, named := as.Lhs[0].(*ast.Ident)
			if f, is := as.Rhs[0].(*ast.FuncLit); is && named {
				if at, makes := reasonParameter(f.Type, f.Body); makes {
					makers[id.Name] = at
				}
			}
		}
		return true
	})
	plain := slices.Contains(plainErrors, s.dir)
	ast.Inspect(d, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CompositeLit:
			s.note(reason(x, typeName(x.Type)), fn)
			if _, list := x.Type.(*ast.ArrayType); list {
				for _, e := range x.Elts {
					if inner, ok := e.(*ast.CompositeLit); ok && inner.Type == nil {
						s.note(reason(inner, typeName(x.Type)), fn)
					}
				}
			}
		case *ast.KeyValueExpr:
			if k, ok := x.Key.(*ast.Ident); ok && k.Name == "needsText" {
				s.note(x.Value, fn)
			}
		case *ast.CallExpr:
			switch name := typeName(x.Fun); {
			case calls(x, "fmt", "Errorf"):
				s.noteError(x, plain)
			case calls(x, "errors", "New") && plain:
				s.note(x.Args[0], fn)
			default:
				if at, makes := makers[name]; makes && at < len(x.Args) {
					s.noteFormat(x.Args[at], fn)
				}
			}
		case *ast.AssignStmt:
			for i, l := range x.Lhs {
				sel, ok := l.(*ast.SelectorExpr)
				if ok && len(x.Lhs) == len(x.Rhs) && (sel.Sel.Name == "Detail" && s.dir == "web" || sel.Sel.Name == "Message" && s.dir == "devices/sheet") {
					s.note(x.Rhs[i], fn)
				}
			}
		case *ast.ReturnStmt:
			if fn != nil && slices.Contains(reasonsOf, fn.Name.Name) && s.dir == "devices/areas" && len(x.Results) > 0 {
				s.note(x.Results[len(x.Results)-1], fn)
			}
		}
		return true
	})
}

// noteError notes what fmt.Errorf says to people: with one of the errors that say
// how a request is answered, or, in the packages whose errors are shown, without
// another error in it.
func (s *source) noteError(x *ast.CallExpr, plain bool) {
	for _, format := range literals(x.Args[0], false) {
		answer := false
		for _, a := range x.Args[1:] {
			switch typeName(a) {
			case "ErrConflict", "ErrStale":
				format, answer = strings.TrimSuffix(format, ": %w"), true
			case "ErrNotFound":
				format, answer = strings.Replace(format, "%w", "not found", 1), true
			case "errBadRequest":
				format, answer = strings.TrimPrefix(format, "%w: "), true
			}
		}
		if answer || plain && !strings.Contains(format, "%w") {
			s.keep(format, x)
		}
	}
}

// note keeps what a reason may be.
func (s *source) note(e ast.Expr, fn *ast.FuncDecl) {
	for _, p := range s.patterns(e, fn, 0) {
		s.keep(p, e)
	}
}

// noteFormat keeps the argument of a maker, a format or a whole reason.
func (s *source) noteFormat(e ast.Expr, fn *ast.FuncDecl) {
	if lit, ok := e.(*ast.BasicLit); ok {
		for _, p := range literals(lit, false) {
			s.keep(p, e)
		}
		return
	}
	s.note(e, fn)
}

// keep notes a pattern that says something of itself.
func (s *source) keep(p string, at ast.Node) {
	if strings.ContainsFunc(verb.ReplaceAllString(p, ""), func(r rune) bool { return r >= 'a' && r <= 'z' }) {
		s.found[p] = strings.TrimPrefix(s.set.Position(at.Pos()).String(), "../../")
	}
}
