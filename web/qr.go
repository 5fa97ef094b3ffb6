package web

import (
	"fmt"

	"github.com/skip2/go-qrcode"
)

// qrPNG is a text as a QR code, a picture of black on white, four pixels a
// module.
func qrPNG(text string) ([]byte, error) {
	b, err := qrcode.Encode(text, qrcode.Medium, -4)
	if err != nil {
		return nil, fmt.Errorf("make QR code: %w", err)
	}
	return b, nil
}
