// Our names of the provinces of the outlines (63, before July 2025), by the
// source's id. Twelve share the id "VN.": those are told apart by what the
// source calls them, which for three is the name of a region.
export const provinceNames = {
  "VN.QN": "Quảng Ninh", "VN.TN": "Tây Ninh", "VN.DB": "Điện Biên", "VN.TY": "Thái Nguyên", "VN.LI": "Lai Châu", "VN.LS": "Lạng Sơn",
  "VN.TH": "Thanh Hóa", "VN.TQ": "Tuyên Quang", "VN.YB": "Yên Bái", "VN.HO": "Hòa Bình", "VN.HD": "Hải Dương", "VN.BN": "Bắc Ninh",
  "VN.VC": "Vĩnh Phúc", "VN.NB": "Ninh Bình", "VN.HM": "Hà Nam", "VN.ND": "Nam Định", "VN.PT": "Phú Thọ", "VN.BG": "Bắc Giang",
  "VN.TB": "Thái Bình", "VN.NA": "Nghệ An", "VN.QB": "Quảng Bình", "VN.KH": "Khánh Hòa", "VN.LD": "Lâm Đồng", "VN.NT": "Ninh Thuận",
  "VN.PY": "Phú Yên", "VN.BI": "Bình Dương", "VN.TG": "Tiền Giang", "VN.BP": "Bình Phước", "VN.BD": "Bình Định", "VN.QG": "Quảng Ngãi",
  "VN.QT": "Quảng Trị", "VN.TT": "Thừa Thiên Huế", "VN.DA": "Đà Nẵng", "VN.BV": "Bà Rịa – Vũng Tàu", "VN.BU": "Bình Thuận", "VN.AG": "An Giang",
  "VN.DT": "Đồng Tháp", "VN.HC": "TP Hồ Chí Minh", "VN.KG": "Kiên Giang", "VN.LA": "Long An", "VN.BR": "Bến Tre", "VN.BL": "Bạc Liêu",
  "VN.CM": "Cà Mau", "VN.ST": "Sóc Trăng", "VN.TV": "Trà Vinh", "VN.VL": "Vĩnh Long", "VN.CB": "Cao Bằng", "VN.HG": "Hà Giang", "VN.LO": "Lào Cai",
  "VN.:Đông Bắc": "Bắc Kạn", "VN.:Son La": "Sơn La", "VN.:Hải Phòng": "Hải Phòng", "VN.:Đồng Bằng Sông Hồng": "Hưng Yên", "VN.:Ha Noi": "Hà Nội",
  "VN.:Ha Tinh": "Hà Tĩnh", "VN.:Dak Lak": "Đắk Lắk", "VN.:Gia Lai": "Gia Lai", "VN.:Đắk Nông": "Đắk Nông", "VN.:Kon Tum": "Kon Tum",
  "VN.:Quàng Nam": "Quảng Nam", "VN.:Đông Nam Bộ": "Đồng Nai", "VN.:Can Tho": "Cần Thơ", "VN.:Hau Giang": "Hậu Giang",
};

/** nameOf is our name of an outline; one that has none stops the build. */
export function nameOf(f) {
  const name = provinceNames[f.id === "VN." ? `VN.:${f.properties.name}` : f.id];
  if (!name) throw new Error(`no name for the province ${f.id} ${f.properties?.name}`);
  return name;
}

/** middle is the centroid of the largest ring: where the name stands. */
export function middle(polys) {
  let best = [0, 0, 0];
  for (const [ring] of polys) {
    let a = 0, x = 0, y = 0;
    for (let i = 1; i < ring.length; i++) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1], ring[i]], k = x0 * y1 - x1 * y0;
      a += k; x += (x0 + x1) * k; y += (y0 + y1) * k;
    }
    if (Math.abs(a) > Math.abs(best[2])) best = [x / (3 * a), y / (3 * a), a];
  }
  return best.slice(0, 2).map((v) => Math.round(v * 1000) / 1000);
}
