# Linear models: lm, glm and glmnet.

# lm and glm: columns of the model matrix times the coefficients, through the link.
linear_pfa <- function(model, d, shown) {
  if (!is.null(model$offset)) stop("a model with an offset cannot be exported")
  if (is.matrix(stats::coef(model))) stop("a model of several responses cannot be exported")
  coefficients <- stats::coef(model)
  made <- .model_columns(model, d)
  constant <- attr(stats::terms(model), "intercept")
  if (length(made) + constant != length(coefficients)) {
    stop("terms of the formula cannot be exported")
  }
  coefficients[is.na(coefficients)] <- 0 # as R leaves columns out that others give
  const <- if (constant) coefficients[1] else 0
  weights <- if (constant) coefficients[-1] else coefficients
  x <- let(d, "x", list(type = DOUBLES, new = made))
  margin <- let(d, "margin", weighted(d, x, const, weights))
  if (!inherits(model, "glm")) return(a_number(margin, stats::predict(model, shown)))
  expected <- stats::predict(model, shown, type = "response")
  link <- model$family$link
  mean <- .inverse_link(margin, link)
  response <- stats::model.response(stats::model.frame(model))
  if (model$family$family %in% c("binomial", "quasibinomial") && is.factor(response)) {
    if (nlevels(response) != 2) stop("a binomial model of more than two classes")
    return(of_two(d, levels(response), mean, unname(expected)))
  }
  a_number(mean, expected)
}

.inverse_link <- function(x, link) {
  known <- list(
    identity = x, log = list(m.exp = list(x)), logit = logistic(x),
    probit = list(m.link.probit = list(x)), cloglog = list(m.link.cloglog = list(x)),
    inverse = list("/" = list(1.0, x)), sqrt = list("*" = list(x, x)),
    "1/mu^2" = list("/" = list(1.0, list(m.sqrt = list(x))))
  )
  if (!link %in% names(known)) {
    stop("the link ", link, " cannot be exported. What can: ", paste(names(known), collapse = ", "))
  }
  known[[link]]
}

# PFA of each column of the model matrix but the intercept, as model.matrix makes them: of several
# factors in a term, the first one changes fastest.
.model_columns <- function(model, d) {
  terms <- stats::delete.response(stats::terms(model))
  if (!is.null(attr(terms, "offset"))) stop("a model with an offset cannot be exported")
  factors <- attr(terms, "factors")
  if (attr(terms, "intercept") == 0) { # then the first factor has a column for each level
    coded <- rownames(factors) %in% names(model$contrasts)
    first <- which(colSums(factors[coded, , drop = FALSE] > 0) > 0)[1]
    if (!is.na(first)) {
      variable <- which(coded & factors[, first] > 0)[1]
      factors[variable, first] <- 2
    }
  }
  made <- list()
  parts <- new.env()
  for (term in colnames(factors)) {
    columns <- NULL
    for (variable in rownames(factors)[factors[, term] > 0]) {
      key <- paste(variable, factors[variable, term])
      if (is.null(parts[[key]])) {
        parts[[key]] <- .variable_columns(model, d, variable, factors[variable, term] == 2)
      }
      columns <- if (is.null(columns)) parts[[key]] else {
        pairs <- lapply(parts[[key]], function(b) {
          lapply(columns, function(a) list("*" = list(a, b)))
        })
        unlist(pairs, recursive = FALSE)
      }
    }
    made <- c(made, columns)
  }
  made
}

.variable_columns <- function(model, d, variable, whole) {
  levels <- model$xlevels[[variable]]
  contrast <- model$contrasts[[variable]]
  if (is.null(levels) && is.null(contrast)) {
    return(list(.expression_pfa(d, str2lang(variable))))
  }
  if (is.null(levels)) levels <- c("FALSE", "TRUE")
  matrix <- if (whole) diag(length(levels)) else if (is.matrix(contrast)) contrast else {
    do.call(contrast, list(levels))
  }
  name <- gsub("`", "", variable)
  if (!name %in% d$columns) stop(variable, " cannot be exported: make it a column")
  value <- column(d, name)
  if (type_of(d, name) == "boolean") {
    value <- list("if" = value, then = list(string = "TRUE"), "else" = list(string = "FALSE"))
  } else {
    check_level(d, name, levels)
  }
  rows <- lapply(seq_along(levels), function(i) many(as.numeric(matrix[i, ])))
  known <- cell(d, paste0(name, "_contrasts"), list(type = "map", values = DOUBLES),
                stats::setNames(rows, levels))
  array <- let(d, paste0(name, "_columns"), c(known, list(path = list(value))))
  lapply(seq_len(ncol(matrix)), function(i) list(attr = array, path = list(i - 1L)))
}

.calls <- c(log = "m.ln", exp = "m.exp", sqrt = "m.sqrt", log1p = "m.ln1p", expm1 = "m.expm1",
            abs = "m.abs", sin = "m.sin", cos = "m.cos", tanh = "m.tanh")

# PFA of an expression of a formula, always a double.
.expression_pfa <- function(d, e) {
  if (is.name(e)) {
    if (!as.character(e) %in% d$columns) stop(as.character(e), " is no column")
    value <- number(d, as.character(e))
    return(if (type_of(d, as.character(e)) == "long") list(cast.double = list(value)) else value)
  }
  if (is.numeric(e)) return(as.numeric(e))
  head <- as.character(e[[1]])
  parts <- lapply(as.list(e)[-1], function(part) .expression_pfa(d, part))
  if (head %in% c("I", "(") && length(parts) == 1) return(parts[[1]])
  if (head == "-" && length(parts) == 1) return(list("u-" = parts))
  if (head %in% c("+", "-", "*", "/") && length(parts) == 2) {
    return(stats::setNames(list(parts), head))
  }
  if (head == "^") return(list("**" = parts))
  if (head %in% names(.calls) && length(parts) == 1) {
    return(stats::setNames(list(parts), .calls[[head]]))
  }
  stop(head, "() in a formula cannot be exported. What can: + - * / ^ I() ",
       paste0(names(.calls), "()", collapse = " "))
}

# A matrix of coefficients for each sum, the intercept first.
.glmnet_coefficients <- function(model) {
  found <- stats::coef(model, s = attr(model, "s"))
  if (is.list(found)) lapply(found, as.matrix) else list(as.matrix(found))
}

glmnet_pfa <- function(model, d, shown) {
  inner <- if (inherits(model, "cv.glmnet")) model$glmnet.fit else model
  if (isTRUE(inner$offset)) stop("a model with an offset cannot be exported")
  found <- .glmnet_coefficients(model)
  names <- rownames(found[[1]])[-1]
  x <- numbers(d, names)
  given <- as.matrix(shown[names])
  say <- function(type) stats::predict(model, given, s = attr(model, "s"), type = type)
  kind <- intersect(class(inner), c("elnet", "lognet", "multnet", "fishnet"))
  if (!length(kind)) stop("glmnet of class ", class(inner)[1], " cannot be exported")
  if (kind == "multnet") {
    all <- t(do.call(cbind, found))
    scores <- weighted_many(d, x, all[, 1], all[, -1, drop = FALSE])
    shares <- say("response")
    return(of_scores(d, inner$classnames, scores, matrix(shares, nrow(given))))
  }
  margin <- let(d, "margin", weighted(d, x, found[[1]][1, 1], found[[1]][-1, 1]))
  p <- as.numeric(say("response"))
  switch(kind,
    elnet = a_number(margin, p),
    fishnet = a_number(list(m.exp = list(margin)), p),
    lognet = of_two(d, inner$classnames, logistic(margin), p)
  )
}
