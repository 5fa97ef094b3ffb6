import{a,b,c,d,e}from"/assets/chunk-FXIG7ZIX.js";import"/assets/chunk-WNKZOYON.js";import"/assets/chunk-M4AS7MT7.js";export{d as createMap,c as hasWebGL,e as inset,a as islands,b as label};
