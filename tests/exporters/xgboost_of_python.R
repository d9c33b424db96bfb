# Writes models of Python's xgboost with R's exporter, without R's xgboost: of each <name>.json in a
# folder <name>.pfa. Arguments: export.R, the folder. What predict() would say is in the file.

arguments <- commandArgs(TRUE)
source(arguments[1])
packageVersion <- function(package) "of Python"
.learner <- function(model) .read_json(model$json)
.says <- function(model, x, outputmargin = FALSE, predleaf = FALSE) {
  said <- if (outputmargin) model$margin else if (predleaf) model$leaf else model$response
  do.call(rbind, lapply(said, unlist))
}
for (path in Sys.glob(file.path(arguments[2], "*.json"))) {
  told <- jsonlite::fromJSON(path, simplifyVector = FALSE)
  columns <- lapply(told$rows, function(x) {
    x[vapply(x, is.null, NA)] <- NA
    unlist(x)
  })
  data <- as.data.frame(columns, check.names = FALSE, stringsAsFactors = FALSE)
  for (name in names(told$levels)) data[[name]] <- factor(data[[name]], unlist(told$levels[[name]]))
  model <- structure(told[c("json", "margin", "leaf", "response")], class = "xgb.Booster")
  write_pfa(model, data, sub("json$", "pfa", path), "m", examples = nrow(data))
}
