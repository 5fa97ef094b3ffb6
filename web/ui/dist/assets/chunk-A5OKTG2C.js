import{a}from"/assets/chunk-MHVEO4J3.js";import"/assets/chunk-JAZZNSWE.js";export default a();
