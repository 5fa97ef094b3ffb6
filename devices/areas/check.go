package areas

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// conflict is what is wrong with a version beside others. The reason is a
// sentence for a person.
type conflict struct {
	refs   []Ref // whose fault it may be, the likeliest first
	field  string
	reason string
}

// check looks for all that versions may not be together.
func check(versions []*Version) (found []conflict) {
	x := newIndex(slices.Clone(versions), 0)
	for _, v := range x.all {
		found = append(found, x.checkSpan(v)...)
	}
	if len(found) > 0 {
		return found // what follows takes one version a day for granted
	}
	for _, v := range x.all {
		found = append(found, x.checkParent(v)...)
		found = append(found, x.checkPredecessors(v)...)
		found = append(found, x.checkShares(v)...)
	}
	return found
}

// checkSpan: a version has days, and shares none with another of its code.
func (x *index) checkSpan(v *Version) (found []conflict) {
	if v.endedBy(v.ValidFrom) {
		return []conflict{{[]Ref{v.Ref()}, "valid_to", fmt.Sprintf("it ends on %s, before it begins", v.ValidTo)}}
	}
	for _, other := range x.byCode[key(v.Code)] {
		if other.Code != v.Code && other.Code < v.Code {
			found = append(found, conflict{[]Ref{v.Ref(), other.Ref()}, "code", fmt.Sprintf("%s and %s are the same code: they differ only in case or accents", other.Code, v.Code)})
			continue
		}
		if other.ValidFrom < v.ValidFrom && !other.endedBy(v.ValidFrom) {
			found = append(found, conflict{[]Ref{v.Ref(), other.Ref()}, "valid_from", fmt.Sprintf("%s is valid %s, which overlaps; end that version on %s", v.Code, other.span(), v.ValidFrom)})
		}
	}
	return found
}

// span is a version's days in words.
func (v *Version) span() string {
	from, to := "from before our records", "on"
	if v.ValidFrom != "" {
		from = "from " + string(v.ValidFrom)
	}
	if v.ValidTo != "" {
		to = "to " + string(v.ValidTo)
	}
	return from + " " + to
}

// checkParent: the parent is there on all days of the child, and lies in no
// circle. The youngest of a circle sees all of it on its first day.
func (x *index) checkParent(v *Version) []conflict {
	if v.Parent == "" {
		return nil
	}
	parents := x.byCode[key(v.Parent)]
	if len(parents) == 0 {
		return []conflict{{[]Ref{v.Ref()}, "parent", fmt.Sprintf("there is no area %.60q", v.Parent)}}
	}
	day := v.ValidFrom
	var last *Version
	for _, p := range parents {
		if p.On(day) {
			last, day = p, p.ValidTo
			if day == "" || v.endedBy(day) {
				break
			}
		}
	}
	switch {
	case last == nil:
		return []conflict{{[]Ref{v.Ref(), parents[0].Ref()}, "parent", fmt.Sprintf("%s, in which %s lies, is not valid on its first day; it is %s", v.Parent, v.Code, spans(parents))}}
	case day != "" && !v.endedBy(day):
		return []conflict{{[]Ref{v.Ref(), last.Ref()}, "parent", fmt.Sprintf("%s, in which %s lies, ends on %s, before it does", v.Parent, v.Code, day)}}
	}
	way := []string{v.Code}
	for p := x.on(v.Parent, v.ValidFrom); p != nil; p = x.on(p.Parent, v.ValidFrom) {
		way = append(way, p.Code)
		if p == v {
			return []conflict{{[]Ref{v.Ref()}, "parent", "an area cannot lie in itself: " + strings.Join(way, " in ")}}
		}
		if len(way) > maxDepth {
			return []conflict{{[]Ref{v.Ref()}, "parent", fmt.Sprintf("the tree goes round in a circle above %s, or is deeper than %d", v.Code, maxDepth)}}
		}
	}
	return nil
}

func spans(versions []*Version) string {
	var words []string
	for _, v := range versions {
		words = append(words, v.span())
	}
	return strings.Join(words, ", ")
}

// checkPredecessors: what a version was made of ended on the day it began.
func (x *index) checkPredecessors(v *Version) (found []conflict) {
	seen := map[string]bool{}
	for _, p := range v.Predecessors {
		reason := ""
		switch {
		case v.ValidFrom == "":
			reason = "what has predecessors needs the day from which it is valid"
		case len(x.byCode[key(p.Code)]) == 0:
			reason = fmt.Sprintf("there is no area %.60q", p.Code)
		case x.endedOn(p.Code, v.ValidFrom) == nil:
			reason = fmt.Sprintf("no version of %s ends on %s, when %s begins", p.Code, v.ValidFrom, v.Code)
		case seen[key(p.Code)]:
			reason = fmt.Sprintf("%s is named twice", p.Code)
		case !(p.Share > 0 && p.Share <= 1):
			reason = fmt.Sprintf("the share of %s is above 0 and at most 1, not %g", p.Code, p.Share)
		}
		seen[key(p.Code)] = true
		if reason != "" {
			found = append(found, conflict{[]Ref{v.Ref()}, "predecessors", reason})
		}
	}
	return found
}

// checkShares: what ended went on whole.
func (x *index) checkShares(old *Version) []conflict {
	links := x.next[old.Ref()]
	sum := 0.0
	for _, l := range links {
		sum += l.share
	}
	if len(links) == 0 || math.Abs(sum-1) < 1e-6 {
		return nil
	}
	var names []string
	var refs []Ref
	for _, l := range links {
		names, refs = append(names, l.Code), append(refs, l.Ref())
	}
	return []conflict{{append(refs, old.Ref()), "predecessors", fmt.Sprintf("the shares of %s that went to %s add up to %g, not to 1", old.Code, strings.Join(names, ", "), math.Round(sum*1e6)/1e6)}}
}
