package web

import (
	"net/http"

	"golang.org/x/text/language"

	"haidang/devices/sheet"
	"haidang/devices/table"
	"haidang/web/words"
)

// vietnamese says whether Vietnamese is the language that who asks wants most.
func vietnamese(r *http.Request) bool {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return false
	}
	base, _ := tags[0].Base()
	return base.String() == "vi"
}

// inLanguage says in the answer which language its sentences for people are in,
// and returns what says one in it. Without a wish they are in English.
func inLanguage(w http.ResponseWriter, r *http.Request) func(sentence string) string {
	w.Header().Add("Vary", "Accept-Language")
	if vietnamese(r) {
		w.Header().Set("Content-Language", "vi")
		return words.Vietnamese
	}
	w.Header().Set("Content-Language", "en")
	return func(s string) string { return s }
}

// sayFaults says what is wrong with a file in the language of say.
func sayFaults(faults []table.Fault, say func(string) string) {
	for i := range faults {
		faults[i].Reason = say(faults[i].Reason)
	}
}

// sayImport is an import with its sentences in the language of say.
func sayImport(i sheet.Import, say func(string) string) sheet.Import {
	told := make([]sheet.RowError, len(i.Errors)) // those of the import are everybody's
	for n, e := range i.Errors {
		e.Reason = say(e.Reason)
		told[n] = e
	}
	i.Errors, i.Message = told, say(i.Message)
	return i
}
