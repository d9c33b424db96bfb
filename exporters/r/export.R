# Writes fitted models of R as PFA documents, with R's own predictions as examples.
#
#   source("export.R")
#   write_pfa(model, data, "churn.pfa", name = "churn")
#
# Models: lm, glm, rpart, randomForest, gbm, naiveBayes (e1071), kmeans, glmnet, xgboost. It needs
# only jsonlite.
# The other files of this folder are read by this one.

.folder <- local({
  file <- NULL
  for (frame in sys.frames()) if (!is.null(frame$ofile)) file <- frame$ofile
  if (is.null(file)) "." else dirname(normalizePath(file))
})
for (.part in c("json.R", "document.R", "linear.R", "trees.R", "xgboost.R", "others.R")) {
  source(file.path(.folder, .part))
}

# `data`: the data frame that the model was fitted to; columns that it does not read are left out.
# `name`: of the document; else the file's.
# `version`: a whole number; `doc`: what the model is, for its users; `examples`: rows that travel.
# `s`: glmnet's lambda; `n.trees`: of gbm, all by default.
write_pfa <- function(model, data, path, name = avro_names(sub("[.]pfa$", "", basename(path))),
                      version = NULL, doc = NULL, examples = 32, s = NULL, n.trees = NULL) {
  if (!identical(avro_names(name), name)) stop(name, " is no name for a document")
  data <- as.data.frame(data)
  if (nrow(data) == 0) stop("data has no rows")
  kind <- intersect(class(model), names(.supported))[1]
  if (is.na(kind)) {
    stop("a model of class ", class(model)[1], " cannot be exported. What can: ",
         paste(names(.supported), collapse = ", "))
  }
  package <- .packages[[kind]]
  model <- .chosen(model, kind, s, n.trees)
  columns <- .reads(model, kind, data)
  absent <- setdiff(columns, names(data))
  if (length(absent)) stop("data has no column ", absent[1])
  shown <- unique(round(seq(1, nrow(data), length.out = min(nrow(data), examples))))
  d <- new_document(data[columns], missing = package == "xgboost")
  made <- .supported[[kind]](model, d, data[shown, , drop = FALSE])
  made <- list(
    head = c(list(name = name), if (!is.null(version)) list(version = as.integer(version))),
    body = finished(d, made),
    expected = made$expected,
    near = made$near,
    tolerance = if (is.null(made$tolerance)) 1e-9 else made$tolerance
  )
  source <- sprintf("R %s.%s, %s %s, %s", R.version$major, R.version$minor, package,
                    as.character(packageVersion(package)), kind)
  inputs <- records(data[shown, columns, drop = FALSE], d)
  pairs <- Map(function(i, e) list(input = i, expected = e), inputs, made$expected)
  # A small number that R has from large ones of single precision has a tolerance of its own.
  for (i in which(made$near > made$tolerance)) pairs[[i]]$tolerance <- 2 * made$near[i]
  if (!is.null(made$near)) pairs <- pairs[made$near < 0.1]
  metadata <- list(
    source = source,
    columns = as.character(json(many(columns))),
    examples = as.character(json(unname(pairs))),
    tolerance = sprintf("%.0e", made$tolerance)
  )
  document <- c(made$head, made$body, if (!is.null(doc)) list(doc = doc),
                list(metadata = metadata))
  half <- paste0(path, ".", Sys.getpid())
  on.exit(unlink(half))
  writeLines(enc2utf8(as.character(json(document))), half, useBytes = TRUE)
  if (!file.rename(half, path)) stop("cannot write ", path)
  invisible(path)
}

.packages <- list(lm = "stats", glm = "stats", rpart = "rpart", randomForest = "randomForest",
                  gbm = "gbm", naiveBayes = "e1071", kmeans = "stats", glmnet = "glmnet",
                  cv.glmnet = "glmnet", xgboost = "xgboost", xgb.Booster = "xgboost")

.supported <- list(cv.glmnet = glmnet_pfa, glmnet = glmnet_pfa, rpart = rpart_pfa,
                   randomForest = forest_pfa, gbm = gbm_pfa, naiveBayes = bayes_pfa,
                   kmeans = kmeans_pfa, glm = linear_pfa, lm = linear_pfa,
                   xgboost = xgboost_pfa, xgb.Booster = xgboost_pfa)

# The model with what its predictions depend on.
.chosen <- function(model, kind, s, n.trees) {
  if (kind %in% c("glmnet", "cv.glmnet")) {
    if (is.null(s)) s <- if (kind == "cv.glmnet") "lambda.1se" else stop("s = lambda is missing")
    attr(model, "s") <- s
  }
  if (kind %in% c("xgboost", "xgb.Booster")) return(.read_booster(model))
  if (kind == "gbm") model$wanted <- if (is.null(n.trees)) model$n.trees else n.trees
  model
}

# Names of the columns that a model reads.
.reads <- function(model, kind, data = NULL) {
  switch(kind,
    lm = , glm = , rpart = all.vars(delete.response(terms(model))),
    randomForest = rownames(model$importance),
    gbm = model$var.names,
    naiveBayes = names(model$tables),
    kmeans = colnames(model$centers),
    xgboost = , xgb.Booster = if (length(model$columns)) model$columns else names(data),
    glmnet = , cv.glmnet = rownames(.glmnet_coefficients(model)[[1]])[-1]
  )
}
