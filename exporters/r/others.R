# Naive Bayes of e1071, and kmeans.

# The log of the counts, of normal densities and of shares; what is 0 counts as 0.001.
bayes_pfa <- function(model, d, shown) {
  classes <- model$levels
  if (is.null(classes)) classes <- names(model$apriori)
  counts <- cell(d, "log_counts", DOUBLES, many(log(as.numeric(model$apriori))))
  likely <- list(counts)
  for (name in names(model$tables)) {
    table <- unclass(model$tables[[name]])
    likely <- c(likely, list(if (model$isnumeric[[name]]) .densities(d, name, table) else {
      .shares(d, name, table)
    }))
  }
  rows <- let(d, "likelihoods", list(type = list(type = "array", items = DOUBLES), new = likely))
  add <- list(params = list(list(a = DOUBLES), list(b = DOUBLES)), ret = DOUBLES,
              do = list(la.add = list("a", "b")))
  scores <- let(d, "scores", list(a.reduce = list(rows, add)))
  of_scores(d, classes, scores, stats::predict(model, shown[names(model$tables)], type = "raw"))
}

.densities <- function(d, name, table) {
  table[table[, 2] <= 0, 2] <- 0.001
  record <- unique_name(d, "Gaussian")
  type <- list(type = "record", name = record, fields = list(
    list(name = "mean", type = "double"), list(name = "variance", type = "double")
  ))
  init <- lapply(seq_len(nrow(table)), function(k) {
    list(mean = table[k, 1], variance = table[k, 2]^2)
  })
  normals <- cell(d, paste0(name, "_normals"), list(type = "array", items = type), init)
  density <- list(params = list(list(normal = record)), ret = "double", do = list(
    list(let = list(log = list(prob.dist.gaussianLL = list(number(d, name), "normal")))),
    # the least double is exp(-745.13...), and what is smaller counts as 0.001
    list("if" = list("<" = list("log", -745.1332191019412)), then = log(0.001), "else" = "log")
  ))
  list(a.map = list(normals, density))
}

.shares <- function(d, name, table) {
  table[table <= 0] <- 0.001
  levels <- colnames(table)
  rows <- stats::setNames(lapply(seq_along(levels), function(k) many(log(as.numeric(table[, k])))),
                          levels)
  known <- cell(d, paste0(name, "_shares"), list(type = "map", values = DOUBLES), rows)
  value <- column(d, name)
  if (type_of(d, name) == "boolean") {
    value <- list("if" = value, then = list(string = "TRUE"), "else" = list(string = "FALSE"))
  } else {
    check_level(d, name, levels)
  }
  c(known, list(path = list(value)))
}

# The number of the closest centre, from 1 on. R has no predict() for kmeans.
kmeans_pfa <- function(model, d, shown) {
  centers <- model$centers
  names <- colnames(centers)
  type <- list(type = "record", name = unique_name(d, "Cluster"), fields = list(
    list(name = "center", type = DOUBLES), list(name = "id", type = "int")
  ))
  init <- lapply(seq_len(nrow(centers)), function(k) {
    list(center = many(as.numeric(centers[k, ])), id = k)
  })
  cells <- cell(d, "clusters", list(type = "array", items = type), init)
  closest <- list(model.cluster.closest = list(numbers(d, names), cells))
  x <- as.matrix(shown[names])
  far <- sapply(seq_len(nrow(centers)), function(k) colSums((t(x) - centers[k, ])^2))
  found <- max.col(-matrix(far, nrow(x)), ties.method = "first")
  a_number(list(attr = closest, path = list(list(string = "id"))), found, "int")
}
