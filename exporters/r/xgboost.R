# xgboost: the trees of the booster's own JSON, doc/model.schema of XGBoost's repository, as
# exporters/boosters.py and exporters/forests.py write them.

# What a booster's sums become. Where they begin is kept as such a value, too.
.xgboost_links <- c(
  "reg:squarederror" = "", "reg:absoluteerror" = "", "reg:pseudohubererror" = "",
  "reg:quantileerror" = "", "reg:squaredlogerror" = "", "rank:pairwise" = "", "rank:ndcg" = "",
  "rank:map" = "", "binary:logitraw" = "", "reg:logistic" = "logit", "binary:logistic" = "logit",
  "count:poisson" = "exp", "reg:gamma" = "exp", "reg:tweedie" = "exp",
  "multi:softprob" = "softmax", "multi:softmax" = "softmax"
)
.SINGLE <- 1e-5 # relative difference: XGBoost adds the trees' values up in single precision

# The booster as a list: what its JSON says, the trees up to the best iteration, and itself.
.read_booster <- function(model) {
  learner <- .learner(model)
  booster <- learner$gradient_booster
  if (booster$name == "dart") booster <- c(booster$gbtree, booster["weight_drop"])
  if (booster$name != "gbtree") {
    stop("xgboost's booster ", booster$name, " cannot be exported. What can: gbtree, dart")
  }
  objective <- learner$objective$name
  if (!objective %in% names(.xgboost_links)) {
    stop("xgboost's objective ", objective, " cannot be exported. What can: ",
         paste(names(.xgboost_links), collapse = ", "))
  }
  options <- lapply(learner$learner_model_param, function(text) unlist(jsonlite::fromJSON(text)))
  parts <- booster$model
  leaves <- vapply(parts$trees, function(tree) tree$tree_param$size_leaf_vector, "")
  if (max(1, options$num_target) > 1 || !all(leaves %in% c("0", "1"))) {
    stop("a model of xgboost's with several outputs cannot be exported")
  }
  count <- max(1, options$num_class)
  each <- count * max(1, as.numeric(parts$gbtree_model_param$num_parallel_tree))
  best <- .best_iteration(model, learner)
  size <- if (length(best)) (best + 1) * each else length(parts$trees)
  names <- learner$feature_names
  if (!length(names)) names <- model$feature_names # where xgboost 1 keeps them
  link <- .xgboost_links[[objective]]
  base <- rep_len(options$base_score, count)
  # Each step in single precision, and the bounds, as XGBoost has them.
  start <- switch(link,
    logit = -log(.single(.single(1 / .single(pmin(pmax(base, 1e-6), 1 - 1e-6))) - 1)),
    exp = log(base),
    base
  )
  weights <- c(booster$weight_drop, parts$weight_drop, rep_len(1, size))[seq_len(size)]
  list(model = model, objective = objective, link = link, start = .single(start),
       columns = as.character(names), size = options$num_feature,
       types = as.character(learner$feature_types),
       tables = Map(.tree_table, parts$trees[seq_len(size)], weights),
       groups = parts$tree_info[seq_len(size)] + 1,
       classes = .class_names(model, objective, count))
}

.learner <- function(model) {
  text <- rawToChar(xgboost::xgb.save.raw(model, raw_format = "json"))
  Encoding(text) <- "UTF-8"
  .read_json(text)
}

# JSON has no infinity, but XGBoost writes it: 1e300 is one in single precision.
.read_json <- function(text) {
  text <- gsub("(?<=[\\[,]|[\\[,]-)Infinity(?=[\\],])", "1e300", text, perl = TRUE)
  jsonlite::fromJSON(text, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)$learner
}

# Counted from 0, nothing without early stopping. xgboost 1 keeps it in the object, from 1 on.
.best_iteration <- function(model, learner) {
  if ("handle" %in% names(model)) model$best_iteration - 1
  else as.numeric(learner$attributes$best_iteration)
}

# Levels of the response, which xgboost() keeps; xgb.train() knows numbers from 0 on.
.class_names <- function(model, objective, count) {
  if (!startsWith(objective, "multi:") && objective != "binary:logistic") return(NULL)
  levels <- attr(model, "metadata")$y_levels
  if (is.null(levels)) seq_len(max(2, count)) - 1L else levels
}

# What R says of a matrix of rows: a column for each class, or for each tree of `predleaf`.
.says <- function(model, x, ...) {
  class(model) <- "xgb.Booster" # whose predict() takes the numbers of categories
  said <- stats::predict(model, x, ...)
  if (is.matrix(said)) said else matrix(said, nrow(x), byrow = TRUE)
}

xgboost_pfa <- function(booster, d, shown) {
  columns <- d$columns
  if (length(columns) != booster$size) {
    stop("the model was fitted to ", booster$size, " columns, and data has ", length(columns))
  }
  x <- data.matrix(shown[columns])
  factors <- vapply(shown[columns], is.factor, NA)
  x[, factors] <- x[, factors] - 1 # xgboost counts levels from 0 on
  if (!length(booster$columns)) colnames(x) <- NULL
  categorical <- if (length(booster$types)) booster$types == "c" else logical(length(columns))
  levels <- Map(function(x, has) if (has) levels(x), shown[columns], categorical)
  walked <- .walked(d, columns, categorical, levels)
  sums <- lapply(seq_along(booster$start), function(k) {
    texts <- vapply(booster$tables[booster$groups == k], .tree_text, "", walked)
    scores <- .scores_again(d, walked, texts, columns, k == 1)
    start <- cell(d, "start", "double", booster$start[k])
    let(d, "margin", list("+" = list(start, list(a.sum = list(scores)))))
  })
  .linked(d, booster, sums, .margins(booster, x), x)
}

# R's own sums, and the same of the leaves that R finds in double precision: what PFA gives.
.margins <- function(booster, x) {
  said <- .says(booster$model, x, outputmargin = TRUE)
  leaves <- .says(booster$model, x, predleaf = TRUE)
  values <- vapply(seq_along(booster$tables), function(t) {
    booster$tables[[t]]$value[leaves[, t] + 1]
  }, numeric(nrow(x)))
  values <- matrix(values, nrow(x))
  exact <- vapply(seq_along(booster$start), function(k) {
    booster$start[k] + rowSums(values[, booster$groups == k, drop = FALSE])
  }, numeric(nrow(x)))
  exact <- matrix(exact, nrow(x))
  if (any(abs(exact - said) > .SINGLE * max(1, abs(values), abs(said)))) {
    stop("the trees of the model do not give what predict() gives")
  }
  list(said = said, exact = exact)
}

.linked <- function(d, booster, sums, margins, x) {
  link <- function(m) {
    switch(booster$link, logit = 1 / (1 + exp(-m)), exp = exp(m), softmax = {
      powers <- exp(m - apply(m, 1, max))
      powers / rowSums(powers)
    }, m)
  }
  said <- if (booster$objective == "multi:softmax") link(margins$said) else .says(booster$model, x)
  exact <- link(margins$exact)
  classes <- booster$classes
  if (booster$link == "softmax") {
    scores <- let(d, "margins", list(type = DOUBLES, new = sums))
    made <- of_scores(d, classes, scores, said)
  } else if (length(classes)) {
    index <- list("if" = list(">=" = list(sums[[1]], 0.0)), then = 1L, "else" = 0L)
    labels <- classes[(margins$said >= 0) + 1]
    made <- of_two(d, classes, logistic(sums[[1]]), as.vector(said), index, labels)
    said <- cbind(1 - said, said)
    exact <- cbind(1 - exact, exact)
  } else {
    value <- switch(booster$link, logit = logistic(sums[[1]]), exp = list(m.exp = sums[1]),
                    sums[[1]])
    made <- a_number(value, as.vector(said))
  }
  off <- abs(exact - said)
  made$near <- apply(ifelse(off <= 1e-12, 0, off / abs(said)), 1, max) # 1e-12: as the gate has it
  made$tolerance <- .SINGLE
  made
}

# What the trees walk: the row itself, if all of it is doubles, or a record of doubles.
.walked <- function(d, columns, categorical, levels) {
  names <- avro_names(c(columns, paste0(columns, "_or_small")))
  names <- matrix(names, length(columns))
  if (!any(categorical, d$nullable, d$types != "double")) {
    names[, 1] <- d$fields
    datum <- list(name = d$row, fields = d$fields)
  } else {
    new <- unlist(lapply(seq_along(columns), function(i) {
      .fields_of(d, columns[i], names[i, ], d$nullable[i], categorical[i], levels[[i]])
    }), recursive = FALSE)
    doubles <- lapply(names(new), function(field) list(name = field, type = "double"))
    record <- list(type = "record", name = unique_name(d, "Features"), fields = doubles)
    datum <- list(name = let(d, "features", list(type = record, new = new)), fields = names(new))
  }
  names(datum$fields) <- datum$fields
  names(datum$fields)[match(names[, 1], datum$fields)] <- columns
  c(datum, list(texts = any(categorical), items = "double", numeric = TRUE, names = names,
                two = d$nullable & !categorical, node = unique_name(d, "TreeNode")))
}

# PFA of a column by the name of its field. A missing value is larger than all in one field and
# smaller than all in another; a category is the number of its level, and -1 if it is missing.
.fields_of <- function(d, name, fields, nullable, categorical, levels) {
  value <- if (nullable) "known" else column(d, name)
  known <- if (is.null(levels)) number(d, name, value) else .level(d, name, value, levels)
  if (!nullable) return(stats::setNames(list(known), fields[1]))
  missing <- if (categorical) -1 else c(1, -1) * .Machine$double.xmax
  made <- lapply(missing, function(other) {
    list(ifnotnull = list(known = column(d, name)), then = known, "else" = other)
  })
  stats::setNames(made, fields[seq_along(made)])
}

# PFA of the number of a level.
.level <- function(d, name, value, levels) {
  numbers <- stats::setNames(as.list(seq_along(levels) - 1), levels)
  known <- cell(d, paste0(name, "_levels"), list(type = "map", values = "double"), numbers)
  message <- paste(name, "is of a category that the model does not know")
  list("if" = list(map.containsKey = list(known, value)), then = c(known, list(path = list(value))),
       "else" = list(error = message, code = -3L))
}

# Columns of a tree's nodes; `value` is a leaf's number, or the threshold below which is left.
# Trees of dart have a `weight`.
.tree_table <- function(tree, weight = 1) {
  left <- tree$left_children + 1
  right <- tree$right_children + 1
  missing_left <- as.logical(tree$default_left)
  # The categories that go right to XGBoost go left here: it is those that a node names.
  asked <- as.numeric(tree$categories_nodes) + 1
  sets <- lapply(seq_along(asked), function(k) {
    tree$categories[tree$categories_segments[k] + seq_len(tree$categories_sizes[k])]
  })
  list(left = replace(left, asked, right[asked]), right = replace(right, asked, left[asked]),
       missing_left = replace(missing_left, asked, !missing_left[asked]),
       feature = ifelse(left > 0, tree$split_indices + 1, 1), # a leaf's may be anything
       value = .single(tree$split_conditions) * ifelse(left > 0, 1, weight),
       asked = asked, sets = sets)
}

.tree_text <- function(tree, walked) {
  inner <- tree$left > 0
  fields <- walked$names[cbind(tree$feature, 1 + (walked$two[tree$feature] & tree$missing_left))]
  value <- .numbers(.under(tree$value[inner]))
  if (walked$texts) value <- paste0('{"double":', value, "}")
  made <- character(length(inner))
  made[inner] <- paste0('"field":"', fields[inner], '","operator":"<=","value":', value)
  made[!inner] <- .leaf("double", .numbers(tree$value[!inner]))
  for (k in seq_along(tree$asked)) {
    i <- tree$asked[k]
    codes <- as.numeric(c(tree$sets[[k]], if (tree$missing_left[i]) -1))
    made[i] <- paste0('"field":"', fields[i], '","operator":"in","value":{"array":',
                      json(many(codes)), "}")
  }
  found <- integer(0)
  level <- 1
  while (length(level)) { # from the root on: a child may have a smaller number than its parent
    found <- c(found, level)
    level <- level[inner[level]]
    level <- c(tree$left[level], tree$right[level])
  }
  for (i in rev(found[inner[found]])) {
    made[i] <- .inner(walked, made[i], made[tree$left[i]], made[tree$right[i]])
  }
  made[1]
}

.single <- function(x) readBin(writeBin(as.numeric(x), raw(), size = 4), "double", length(x), 4)

# The largest double that is less than a threshold, a single, when it is rounded to one.
.under <- function(threshold) {
  bits <- readBin(writeBin(threshold, raw(), size = 4), "integer", length(threshold), 4)
  bits <- ifelse(threshold == 0, -.Machine$integer.max, bits - sign(threshold))
  before <- readBin(writeBin(as.integer(bits), raw(), size = 4), "double", length(threshold), 4)
  middle <- (before + threshold) / 2 # exact: doubles have 29 more bits
  less <- ifelse(middle > 0, middle * (1 - 2^-53), middle / (1 - 2^-53)) # the double before it
  found <- ifelse(.single(middle) == before, middle, less)
  pmax(ifelse(is.finite(threshold), found, ifelse(threshold > 0, before, -Inf)),
       -.Machine$double.xmax)
}
