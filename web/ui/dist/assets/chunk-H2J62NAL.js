import{a,b,c,d}from"/assets/chunk-B3ERM7W3.js";import"/assets/chunk-CGEBU77R.js";import"/assets/chunk-JAZZNSWE.js";export{d as createMap,c as hasWebGL,a as islands,b as label};
