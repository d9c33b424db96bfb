# Trees: rpart, randomForest and gbm. The texts of nodes are made from the last one to the first: a
# child comes after its parent.

# What the trees walk: numbers as doubles, and texts. The levels of an ordered factor are numbers
# from `first` on, where it has `places`. Returns names of the fields by column, which of them are
# numbers, and whether there are texts.
.datum <- function(d, columns, levels, first = 1, places = TRUE) {
  ordered <- vapply(columns, function(name) places && name %in% names(d$ordered), NA)
  texts <- vapply(columns, function(name) type_of(d, name) == "string", NA) & !ordered
  for (name in columns[texts]) check_level(d, name, levels[[name]])
  for (name in columns[ordered]) check_level(d, name, d$ordered[[name]])
  fields <- avro_names(columns)
  types <- ifelse(texts, "string", "double")
  record <- list(type = "record", name = unique_name(d, "Features"),
                 fields = unname(Map(function(f, t) list(name = f, type = t), fields, types)))
  new <- stats::setNames(lapply(columns, function(name) {
    if (ordered[[name]]) .place(d, name, first)
    else if (texts[[name]]) column(d, name) else number(d, name)
  }), fields)
  list(name = let(d, "features", list(type = record, new = new)), texts = any(texts),
       items = "string", numeric = unname(!texts), fields = stats::setNames(fields, columns),
       node = unique_name(d, "TreeNode"))
}

# PFA of the place of an ordered factor's level.
.place <- function(d, name, first) {
  levels <- d$ordered[[name]]
  places <- stats::setNames(as.list(as.numeric(seq_along(levels) - 1 + first)), levels)
  known <- cell(d, paste0(name, "_places"), list(type = "map", values = "double"), places)
  c(known, list(path = list(column(d, name))))
}

# Texts of what a node asks: `numeric` a threshold with an operator, `among` a set of levels.
.below <- function(datum, name, operator, threshold) {
  value <- .numbers(threshold)
  if (datum$texts) value <- paste0('{"double":', value, "}")
  paste0('"field":"', datum$fields[[name]], '","operator":"', operator, '","value":', value)
}

.among <- function(datum, name, levels) {
  paste0('"field":"', datum$fields[[name]], '","operator":"in","value":{"array":',
         json(many(levels)), "}")
}

.leaf <- function(tag, value) paste0('{"', tag, '":', value, "}")

.inner <- function(datum, test, pass, fail) {
  child <- function(text) {
    if (startsWith(text, '{"field"')) paste0('{"', datum$node, '":', text, "}") else text
  }
  paste0("{", test, ',"pass":', child(pass), ',"fail":', child(fail), "}")
}

# A tree must begin with a node: one leaf is both sides of one.
.root <- function(datum, text, columns) {
  if (startsWith(text, '{"field"')) return(text)
  name <- columns[1]
  test <- if (datum$numeric[1]) .below(datum, name, "<", 0) else .among(datum, name, "")
  .inner(datum, test, text, text)
}

# Puts trees into a cell; returns PFA of the array of their values.
.scores <- function(d, datum, trees, columns, leaf = "double") {
  child <- list(datum$node, leaf)
  value <- if (datum$texts) list("double", list(type = "array", items = datum$items)) else "double"
  symbols <- list(type = "enum", name = paste0(datum$node, "Field"),
                  symbols = many(unname(datum$fields)))
  node <- list(type = "record", name = datum$node, fields = list(
    list(name = "field", type = symbols), list(name = "operator", type = "string"),
    list(name = "value", type = value), list(name = "pass", type = child),
    list(name = "fail", type = child)
  ))
  roots <- vapply(trees, function(text) .root(datum, text, columns), "", USE.NAMES = FALSE)
  init <- verbatim(paste0("[", paste(roots, collapse = ","), "]"))
  forest <- cell(d, "forest", list(type = "array", items = node), init)
  walk <- list(params = list(list(tree = datum$node)), ret = leaf,
               do = list(model.tree.simpleTree = list(datum$name, "tree")))
  let(d, "scores", list(a.map = list(forest, walk)))
}

# rpart: frame, splits and csplit, as ?rpart.object has them.
rpart_pfa <- function(model, d, shown) {
  columns <- .reads(model, "rpart")
  levels <- attr(model, "xlevels")
  frame <- model$frame
  ids <- as.integer(row.names(frame))
  inner <- frame$var != "<leaf>"
  starts <- cumsum(c(1, frame$ncompete + frame$nsurrogate + inner))[seq_along(ids)]
  kind <- model$method
  if (!kind %in% c("anova", "class", "poisson")) {
    stop("rpart(method = ", kind, ") cannot be exported")
  }
  classes <- attr(model, "ylevels")
  datum <- .datum(d, columns, levels, places = FALSE) # its splits list the levels
  leaf <- function(i) {
    if (kind != "class") {
      y <- if (kind == "poisson") frame$yval2[i, 1] else frame$yval[i]
      return(.leaf("double", .numbers(y)))
    }
    shares <- frame$yval2[i, 1 + length(classes) + seq_along(classes)]
    .leaf("array", json(many(as.numeric(c(frame$yval[i] - 1, shares)))))
  }
  made <- character(length(ids))
  for (i in rev(seq_along(ids)[order(ids)])) {
    if (!inner[i]) {
      made[i] <- leaf(i)
      next
    }
    name <- as.character(frame$var[i])
    sides <- match(ids[i] * 2L + 0:1, ids)
    left <- made[sides[1]]
    right <- made[sides[2]]
    split <- model$splits[starts[i], ]
    if (abs(split[["ncat"]]) < 2) {
      # -1: smaller ones go left; 1: they go right
      test <- .below(datum, name, "<", split[["index"]])
      made[i] <- if (split[["ncat"]] < 0) .inner(datum, test, left, right) else {
        .inner(datum, test, right, left)
      }
      next
    }
    sent <- model$csplit[split[["index"]], seq_along(levels[[name]])]
    goes <- levels[[name]][sent == 1]
    if (any(sent == 2)) {
      # A level that was not there when the node was split is a missing value to rpart.
      if (frame$nsurrogate[i] > 0 || model$control$usesurrogate < 2) {
        stop("a level of ", name,
             " is unknown to a split: fit with rpart.control(maxsurrogate = 0)")
      }
      if (frame$n[sides[1]] > frame$n[sides[2]]) goes <- levels[[name]][sent != 3]
    }
    made[i] <- .inner(datum, .among(datum, name, goes), left, right)
  }
  root <- made[ids == 1]
  if (kind != "class") {
    scores <- .scores(d, datum, root, columns)
    return(a_number(list(attr = scores, path = list(0L)), stats::predict(model, shown)))
  }
  scores <- .scores(d, datum, root, columns, DOUBLES)
  found <- let(d, "leaf", list(attr = scores, path = list(0L)))
  index <- list(cast.int = list(list(attr = found, path = list(0L))))
  shares <- let(d, "probability", list(a.subseq = list(found, 1L, length(classes) + 1L)))
  a_class(d, classes, index, shares, stats::predict(model, shown, type = "prob"),
          stats::predict(model, shown, type = "class"))
}

# randomForest: the arrays of model$forest; a number that is at most the split goes left.
forest_pfa <- function(model, d, shown) {
  columns <- .reads(model, "randomForest")
  forest <- model$forest
  if (is.null(forest)) stop("randomForest(keep.forest = FALSE) cannot be exported")
  if (!is.null(model$coefs)) stop("randomForest(corr.bias = TRUE) cannot be exported")
  levels <- lapply(forest$xlevels, as.character)
  names(levels) <- columns
  datum <- .datum(d, columns, levels)
  classifies <- model$type == "classification"
  tree <- function(k) {
    size <- forest$ndbigtree[k]
    if (classifies) {
      left <- forest$treemap[seq_len(size), 1, k]
      right <- forest$treemap[seq_len(size), 2, k]
      value <- forest$nodepred[seq_len(size), k] - 1
    } else {
      left <- forest$leftDaughter[seq_len(size), k]
      right <- forest$rightDaughter[seq_len(size), k]
      value <- forest$nodepred[seq_len(size), k]
    }
    ends <- forest$nodestatus[seq_len(size), k] == -1
    split <- forest$xbestsplit[seq_len(size), k]
    asked <- forest$bestvar[seq_len(size), k]
    made <- rep("", size)
    made[ends] <- .leaf("double", .numbers(as.numeric(value[ends])))
    for (i in rev(which(!ends))) {
      name <- columns[asked[i]]
      test <- if (forest$ncat[asked[i]] > 1) {
        bits <- (split[i] %/% 2^(seq_along(levels[[name]]) - 1)) %% 2
        .among(datum, name, levels[[name]][bits == 1])
      } else .below(datum, name, "<=", split[i])
      made[i] <- .inner(datum, test, made[left[i]], made[right[i]])
    }
    made[1]
  }
  scores <- .scores(d, datum, vapply(seq_len(forest$ntree), tree, ""), columns)
  if (!classifies) {
    return(a_number(list(a.mean = list(scores)), stats::predict(model, shown)))
  }
  if (length(unique(forest$cutoff)) > 1) stop("randomForest(cutoff = ...) cannot be exported")
  numbers <- cell(d, "class_numbers", DOUBLES, many(as.numeric(seq_along(model$classes) - 1)))
  share <- list(params = list(list(k = "double")), ret = "double", do = list(
    "/" = list(list(a.count = list(scores, "k")), as.numeric(forest$ntree))
  ))
  shares <- let(d, "probability", list(a.map = list(numbers, share)))
  # R breaks ties at random: here the first class wins them.
  a_class(d, model$classes, list(a.argmax = list(shares)), shares,
          stats::predict(model, shown, type = "prob"))
}

# gbm: trees as gbm.object has them, counted from 0; smaller ones go left, and so do levels with -1.
gbm_pfa <- function(model, d, shown) {
  kind <- model$distribution$name
  known <- c("gaussian", "laplace", "tdist", "bernoulli", "poisson", "adaboost", "multinomial")
  if (!kind %in% known) {
    stop("gbm(distribution = ", kind, ") cannot be exported. What can: ",
         paste(known, collapse = ", "))
  }
  columns <- model$var.names
  levels <- lapply(model$var.levels, as.character)
  names(levels) <- columns
  datum <- .datum(d, columns, levels, 0)
  tree <- function(parts) {
    asked <- parts[[1]]
    made <- rep("", length(asked))
    for (i in rev(seq_along(asked))) {
      if (asked[i] < 0) {
        made[i] <- .leaf("double", .numbers(parts[[2]][i]))
        next
      }
      name <- columns[asked[i] + 1]
      left <- made[parts[[3]][i] + 1]
      right <- made[parts[[4]][i] + 1]
      if (model$var.type[asked[i] + 1] == 0) {
        made[i] <- .inner(datum, .below(datum, name, "<", parts[[2]][i]), left, right)
        next
      }
      sent <- model$c.splits[[parts[[2]][i] + 1]]
      if (any(sent == 0)) { # a level that was not there goes where missing values go
        missing <- made[parts[[5]][i] + 1]
        right <- .inner(datum, .among(datum, name, levels[[name]][sent == 1]), right, missing)
      }
      made[i] <- .inner(datum, .among(datum, name, levels[[name]][sent == -1]), left, right)
    }
    made[1]
  }
  classes <- if (kind == "multinomial") model$classes else NULL
  count <- max(1, length(classes))
  texts <- vapply(model$trees[seq_len(model$wanted * count)], tree, "")
  say <- function(type) {
    suppressMessages(stats::predict(model, shown, n.trees = model$wanted, type = type))
  }
  if (kind == "multinomial") {
    sums <- lapply(seq_len(count), function(k) {
      each <- .scores_again(d, datum, texts[seq(k, length(texts), count)], columns, k == 1)
      list("+" = list(cell(d, "start", "double", model$initF), list(a.sum = list(each))))
    })
    scores <- let(d, "margins", list(type = DOUBLES, new = sums))
    return(of_scores(d, classes, scores, matrix(say("response"), nrow(shown))))
  }
  scores <- .scores(d, datum, texts, columns)
  start <- cell(d, "start", "double", model$initF)
  margin <- let(d, "margin", list("+" = list(start, list(a.sum = list(scores)))))
  value <- switch(kind,
    bernoulli = logistic(margin),
    adaboost = logistic(list("*" = list(2.0, margin))),
    poisson = list(m.exp = list(margin)),
    margin
  )
  a_number(value, say("response"))
}

# More trees of the type that the first ones have defined.
.scores_again <- function(d, datum, trees, columns, first) {
  found <- .scores(d, datum, trees, columns)
  if (!first) d$cells[[length(d$cells)]]$type$items <- datum$node
  found
}
