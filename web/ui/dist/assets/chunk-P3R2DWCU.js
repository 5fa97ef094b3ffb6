import{a}from"/assets/chunk-CGEBU77R.js";import"/assets/chunk-JAZZNSWE.js";export default a();
