package web

import (
	"testing"
)

// Who looks at an agency sees whether somebody is there, by the calendar that it
// follows; one that is followed stays.
func TestAgenciesFollowTheirCalendar(t *testing.T) {
	h := newHouse(t, nil)
	var p problem
	if res := h.call("operator", "POST", "/api/v1/agencies", `{"id":"a","name":"A","calendar":"ca-dem"}`, &p); res.StatusCode != 422 || p.Errors[0].Field != "calendar" {
		t.Errorf("a calendar that is none: %s %+v", res.Status, p)
	}
	h.call("operator", "PUT", "/api/v1/calendars/ca-dem", `{"name":"Không ai","name_en":"Nobody"}`, nil)
	for id, calendar := range map[string]string{"a": "ca-24-7", "b": "ca-dem", "c": ""} {
		h.call("operator", "POST", "/api/v1/agencies", `{"id":"`+id+`","name":"A","calendar":"`+calendar+`"}`, nil)
	}
	for id, want := range map[string]any{"a": true, "b": false, "c": nil} {
		var a struct{ Now map[string]any }
		if h.call("viewer", "GET", "/api/v1/agencies/"+id, "", &a); a.Now["working"] != want || a.Now["until"] != nil {
			t.Errorf("%s: %v, want %v", id, a.Now, want)
		}
	}
	if res := h.call("operator", "DELETE", "/api/v1/calendars/ca-24-7", "", nil); res.StatusCode != 409 {
		t.Errorf("one that is followed: %s", res.Status)
	}
	if res := h.call("operator", "PUT", "/api/v1/calendars/ca-dem", `{"name":"x","name_en":"x"}`, nil); res.StatusCode != 409 {
		t.Errorf("written over unseen: %s", res.Status)
	}
	if res := h.call("operator", "PUT", "/api/v1/calendars/ca-dem", `{"name":"x","name_en":"x","version":1,"off":[{"from":"2/9"}]}`, &p); res.StatusCode != 422 || p.Errors[0].Field != "off[0].from" {
		t.Errorf("a wrong day: %s %+v", res.Status, p)
	}
}
