package areas

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"haidang/devices"
)

// set puts a text into the field of a version. The error is a sentence for a
// person.
func (v *Version) set(field, text string) (err error) {
	switch field {
	case "code":
		v.Code, err = text, checkCode(text)
	case "name":
		if v.Name = text; text == "" {
			return errors.New("an area needs a name")
		}
		err = checkText(text, 200)
	case "name_en":
		v.NameEN, err = text, checkText(text, 200)
	case "type":
		v.Type, err = ParseType(text)
	case "parent":
		v.Parent, err = text, checkText(text, 160)
	case "valid_from":
		v.ValidFrom, err = ParseDay(text)
	case "valid_to":
		v.ValidTo, err = ParseDay(text)
	case "source":
		v.Source, err = text, checkText(text, 1000)
	case "predecessors":
		v.Predecessors, err = parsePredecessors(text)
	}
	return err
}

func checkText(s string, most int) error {
	if utf8.RuneCountInString(s) > most || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("one line of at most %d characters", most)
	}
	return nil
}

// parsePredecessors reads what predecessorText writes; without a share it is 1.
func parsePredecessors(text string) (ps []Predecessor, err error) {
	if text == "" {
		return nil, nil
	}
	for one := range strings.SplitSeq(text, "|") {
		code, rest, _ := strings.Cut(strings.TrimSpace(one), ":")
		share, kind, _ := strings.Cut(rest, ":")
		p := Predecessor{Code: code, Share: 1, Kind: kind}
		if share != "" {
			if p.Share, err = strconv.ParseFloat(share, 64); err != nil || math.IsNaN(p.Share) || math.IsInf(p.Share, 0) {
				return nil, fmt.Errorf("%.40q is no share; write predecessors as code:share, with a point, and | between them", share)
			}
		}
		if err := p.check(); err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func (p Predecessor) check() error {
	if err := checkCode(p.Code); err != nil {
		return err
	}
	if p.Kind != "" && !slices.Contains([]string{Merged, Split, Continued}, p.Kind) {
		return fmt.Errorf("%.40q is no kind of succession; these are: %s, %s, %s", p.Kind, Merged, Split, Continued)
	}
	return nil
}

// setCentre reads the texts of a latitude and a longitude; both empty is none.
func (v *Version) setCentre(lat, lon string) error {
	if lat == "" && lon == "" {
		v.Centre = nil
		return nil
	}
	y, errY := strconv.ParseFloat(lat, 64)
	x, errX := strconv.ParseFloat(lon, 64)
	if errY != nil || errX != nil {
		return fmt.Errorf("%.20q, %.20q is no latitude and longitude in degrees with a point", lat, lon)
	}
	if err := checkPoint(orb.Point{x, y}); err != nil {
		return err
	}
	v.Centre = &devices.Position{Lat: y, Lon: x}
	return nil
}
