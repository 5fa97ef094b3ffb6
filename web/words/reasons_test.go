package words

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// reasonAt is the place of the reason in the literals that hold one.
var reasonAt = map[string]struct {
	key   string
	index int
}{"FieldError": {"Reason", 1}, "Fault": {"Reason", 2}, "RowError": {"Reason", 3}, "conflict": {"reason", 2}, "fieldError": {"Detail", 1}, "problem": {"Detail", -1}}

// reason is the expression of the reason in a literal of the type named; nil: it
// holds none.
func reason(lit *ast.CompositeLit, named string) ast.Expr {
	at, is := reasonAt[named]
	if !is {
		return nil
	}
	for i, e := range lit.Elts {
		if kv, keyed := e.(*ast.KeyValueExpr); keyed {
			if k, ok := kv.Key.(*ast.Ident); ok && k.Name == at.key {
				return kv.Value
			}
		} else if i == at.index {
			return e
		}
	}
	return nil
}

func typeName(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.ArrayType:
		return typeName(x.Elt)
	}
	return ""
}

// reasonParameter says which parameter of a function becomes a reason, as it
// stands or as a format.
func reasonParameter(ft *ast.FuncType, body *ast.BlockStmt) (at int, is bool) {
	var names []string
	for _, f := range ft.Params.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		e := reason(lit, typeName(lit.Type))
		if call, ok := e.(*ast.CallExpr); ok && calls(call, "fmt", "Sprintf") {
			e = call.Args[0]
		}
		if id, ok := e.(*ast.Ident); ok && slices.Contains(names, id.Name) {
			at, is = slices.Index(names, id.Name), true
		}
		return true
	})
	return at, is
}

func calls(c *ast.CallExpr, pkg, name string) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}

// patterns are what a text may be, as fmt patterns; none when that is not seen.
func (s *source) patterns(e ast.Expr, fn *ast.FuncDecl, depth int) (out []string) {
	if depth > 3 {
		return nil
	}
	switch x := e.(type) {
	case *ast.BasicLit:
		return literals(x, true)
	case *ast.ParenExpr:
		return s.patterns(x.X, fn, depth)
	case *ast.BinaryExpr:
		return s.sum(x, fn, depth)
	case *ast.CallExpr:
		if calls(x, "fmt", "Sprintf") {
			return literals(x.Args[0], false)
		}
		if callee := s.funcs[typeName(x.Fun)]; callee != nil && callee.Type.Results != nil {
			ast.Inspect(callee.Body, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
					out = append(out, s.patterns(r.Results[len(r.Results)-1], callee, depth+1)...)
				}
				return true
			})
		}
	case *ast.Ident:
		if fn == nil {
			return nil
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			as, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for i, l := range as.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Name == x.Name && len(as.Lhs) == len(as.Rhs) {
					out = append(out, s.patterns(as.Rhs[i], fn, depth+1)...)
				}
			}
			return true
		})
	}
	return out
}

// sum is a text of several parts: what is no literal is a value in it. A part that
// is a sentence itself is kept too.
func (s *source) sum(x *ast.BinaryExpr, fn *ast.FuncDecl, depth int) []string {
	if x.Op != token.ADD {
		return nil
	}
	side := func(e ast.Expr) string {
		switch y := e.(type) {
		case *ast.BasicLit:
			if text := literals(y, true); text != nil {
				return text[0]
			}
		case *ast.BinaryExpr:
			if inner := s.sum(y, fn, depth); len(inner) == 1 {
				return inner[0]
			}
		case *ast.Ident:
			for _, p := range s.patterns(y, fn, depth+1) {
				if strings.Contains(p, " ") {
					s.keep(p, y)
				}
			}
		}
		return "%s"
	}
	return []string{side(x.X) + side(x.Y)}
}

// literals is the text of a literal; plain: as a pattern, it is none.
func literals(e ast.Expr, plain bool) []string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return nil
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return nil
	}
	if plain {
		text = strings.ReplaceAll(text, "%", "%%")
	}
	return []string{text}
}
