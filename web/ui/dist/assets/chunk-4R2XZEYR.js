import{a}from"/assets/chunk-WNKZOYON.js";import"/assets/chunk-M4AS7MT7.js";export default a();
