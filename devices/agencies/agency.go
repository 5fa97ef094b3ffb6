package agencies

import (
	"fmt"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"haidang/devices"
)

// Agency is a unit that handles reports and alerts.
type Agency struct {
	// ID names it in routing and in the API; it stays when the name changes.
	ID     string `json:"id"`
	Name   string `json:"name"`
	NameEN string `json:"name_en"`
	// Phone, Email and Zalo are how it is reached; Zalo is a phone number or the
	// number of an official account.
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
	Zalo  string `json:"zalo,omitempty"`
	// Areas are the codes of the areas it is on duty in, with all that lies in
	// them; none means everywhere.
	Areas []string `json:"areas"`
	// Categories are the kinds of report it handles; none means that it is only
	// given what somebody gives it.
	Categories []string `json:"categories"`
	// Calendar names the working calendar that its deadlines follow.
	Calendar string `json:"calendar,omitempty"`
	// Retired agencies keep what they have, and are given nothing new.
	Retired bool `json:"retired"`
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

func key(id string) string { return devices.Fold(id) }

// clean brings an agency to the form in which it is kept, or says which field is
// wrong. knownArea says whether there is such an area.
func (a Agency) clean(knownArea func(code string) bool) (Agency, error) {
	bad := func(field, format string, args ...any) (Agency, error) {
		return a, &devices.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if !idForm.MatchString(a.ID) {
		return bad("id", "%.80q is no id of an agency: 1 to 60 small letters without accents, digits or '-'", a.ID)
	}
	for _, f := range []struct {
		name string
		text *string
		most int
	}{{"name", &a.Name, 200}, {"name_en", &a.NameEN, 200}, {"phone", &a.Phone, 40}, {"email", &a.Email, 200}, {"zalo", &a.Zalo, 40}, {"calendar", &a.Calendar, 60}} {
		if !utf8.ValidString(*f.text) || strings.ContainsFunc(*f.text, unicode.IsControl) {
			return bad(f.name, "one line of UTF-8 text is wanted")
		}
		if *f.text = norm.NFC.String(strings.TrimSpace(*f.text)); utf8.RuneCountInString(*f.text) > f.most {
			return bad(f.name, "at most %d characters", f.most)
		}
	}
	if a.Name == "" {
		return bad("name", "an agency needs a name")
	}
	for field, number := range map[string]*string{"phone": &a.Phone, "zalo": &a.Zalo} {
		*number = strings.NewReplacer(" ", "", ".", "", "-", "").Replace(*number)
		if digits := strings.TrimPrefix(*number, "+"); *number != "" && (len(digits) < 3 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "") {
			return bad(field, "a number has 3 to 20 digits")
		}
	}
	if address, err := mail.ParseAddress(a.Email); a.Email != "" && (err != nil || address.Address != a.Email) {
		return bad("email", "%.80q is no e-mail address", a.Email)
	}
	var err error
	if a.Areas, err = list("areas", a.Areas); err != nil {
		return a, err
	}
	if a.Categories, err = list("categories", a.Categories); err != nil {
		return a, err
	}
	for _, code := range a.Areas {
		if !knownArea(code) {
			return bad("areas", "%.60q is no area; GET /api/v1/areas lists them", code)
		}
	}
	return a, nil
}

// list sorts codes and takes doubles out.
func list(field string, codes []string) ([]string, error) {
	out := []string{}
	for _, c := range codes {
		if c = norm.NFC.String(strings.TrimSpace(c)); c == "" {
			continue
		}
		if len(c) > 160 || strings.ContainsFunc(c, func(r rune) bool { return unicode.IsControl(r) || r == ',' || r == ' ' }) {
			return nil, &devices.FieldError{Field: field, Reason: fmt.Sprintf("%.60q is no code", c)}
		}
		out = append(out, c)
	}
	if len(out) > 1000 {
		return nil, &devices.FieldError{Field: field, Reason: "at most 1000 codes"}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (a Agency) equal(b Agency) bool { return reflect.DeepEqual(a, b) }

// HandlesCategory says whether reports of a kind are for it.
func (a *Agency) HandlesCategory(id string) bool { return slices.Contains(a.Categories, id) }
