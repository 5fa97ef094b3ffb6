package web

import (
	"fmt"
	"io"
	"mime"
	"net/http"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest/media"
)

// putDevicePhoto takes a photo of a device where it stands: the image itself, or
// a form with the file "photo".
func (s *Server) putDevicePhoto(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, media.MaxBytes+64<<10)
	var image io.Reader = r.Body
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		file, _, err := r.FormFile("photo")
		if err != nil {
			s.fail(w, r, fmt.Errorf("%w: the form has no file named photo", errBadRequest))
			return
		}
		defer file.Close()
		image = file
	}
	sha, err := s.Media.Put(image)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setPhoto(w, r, d.ID, sha)
}

func (s *Server) deleteDevicePhoto(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setPhoto(w, r, d.ID, "")
}

// setPhoto changes nothing else, and so whatever version the device has.
func (s *Server) setPhoto(w http.ResponseWriter, r *http.Request, id devices.ID, sha string) {
	d, err := s.Registry.Edit(r.Context(), id, 0, func(d *devices.Device) error {
		d.Photo = sha
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.showDevice(w, d)
}
