import{a,b,c,d}from"/assets/chunk-XFTBM4DA.js";import"/assets/chunk-WNKZOYON.js";import"/assets/chunk-M4AS7MT7.js";export{d as createMap,c as hasWebGL,a as islands,b as label};
