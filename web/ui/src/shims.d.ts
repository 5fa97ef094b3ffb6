declare module "*.css";
// The map's library without its worker inside: that would be made from a blob.
declare module "maplibre-gl/dist/maplibre-gl-csp" {
  import gl from "maplibre-gl";
  export default gl;
}
