"""Which classes can be exported, and by which function of this package.

A class is named by its library and its own name; a function by its module and its name.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from exporters.document import Document, Feature, Prediction
from exporters.errors import UnsupportedError

LINEAR, TREES, BOOSTED = "scikit_learn.linear:", "scikit_learn.trees:", "boosters:"
OTHERS, PREPARED = "scikit_learn.others:", "scikit_learn.preparation:"
ENCODED, MISSING = "scikit_learn.categories:", "scikit_learn.missing:"
BENT, SELECTED = "scikit_learn.nonlinear:", "scikit_learn.selection:selected"
BAYES, NORMAL = "scikit_learn.bayes:", "scikit_learn.mixtures:"
NEURAL, VECTORS = "scikit_learn.neural:", "scikit_learn.svm:"
NEAR, STACKED = "scikit_learn.neighbours:", "scikit_learn.stacks:"
MANY, TEXT = "scikit_learn.ensembles:", "scikit_learn.text:"

SPARK, SPARK_LINEAR, SPARK_TREES = "spark.preparation:", "spark.linear:", "spark.trees:"
SPARK_OTHERS, SPARK_STAGES = "spark.others:", "spark.pipelines:"

# (model, features, document) -> Prediction
MODELS = {
    "sklearn.Pipeline": "scikit_learn.compositions:pipeline",
    "sklearn.GridSearchCV": "scikit_learn.compositions:searched",
    "sklearn.RandomizedSearchCV": "scikit_learn.compositions:searched",
    "sklearn.FixedThresholdClassifier": "scikit_learn.compositions:thresholded",
    "sklearn.TunedThresholdClassifierCV": "scikit_learn.compositions:thresholded",
    "sklearn.LinearRegression": LINEAR + "regression",
    "sklearn.Ridge": LINEAR + "regression",
    "sklearn.RidgeCV": LINEAR + "regression",
    "sklearn.Lasso": LINEAR + "regression",
    "sklearn.LassoCV": LINEAR + "regression",
    "sklearn.ElasticNet": LINEAR + "regression",
    "sklearn.ElasticNetCV": LINEAR + "regression",
    "sklearn.SGDRegressor": LINEAR + "regression",
    "sklearn.LinearSVR": LINEAR + "regression",
    "sklearn.HuberRegressor": LINEAR + "regression",
    "sklearn.BayesianRidge": LINEAR + "regression",
    "sklearn.ARDRegression": LINEAR + "regression",
    "sklearn.PoissonRegressor": LINEAR + "generalised",
    "sklearn.GammaRegressor": LINEAR + "generalised",
    "sklearn.TweedieRegressor": LINEAR + "generalised",
    "sklearn.PLSRegression": LINEAR + "latent",
    "sklearn.LogisticRegression": LINEAR + "logistic",
    "sklearn.LogisticRegressionCV": LINEAR + "logistic",
    "sklearn.SGDClassifier": LINEAR + "margins",
    "sklearn.LinearSVC": LINEAR + "margins",
    "sklearn.RidgeClassifier": LINEAR + "margins",
    "sklearn.Perceptron": LINEAR + "margins",
    "sklearn.LinearDiscriminantAnalysis": LINEAR + "discriminant",
    "sklearn.DecisionTreeRegressor": TREES + "tree_regressor",
    "sklearn.DecisionTreeClassifier": TREES + "tree_classifier",
    "sklearn.ExtraTreeRegressor": TREES + "tree_regressor",
    "sklearn.ExtraTreeClassifier": TREES + "tree_classifier",
    "sklearn.RandomForestRegressor": TREES + "forest_regressor",
    "sklearn.RandomForestClassifier": TREES + "forest_classifier",
    "sklearn.ExtraTreesRegressor": TREES + "forest_regressor",
    "sklearn.ExtraTreesClassifier": TREES + "forest_classifier",
    "sklearn.GradientBoostingRegressor": TREES + "boosting_regressor",
    "sklearn.GradientBoostingClassifier": TREES + "boosting_classifier",
    "sklearn.HistGradientBoostingRegressor": TREES + "histogram_regressor",
    "sklearn.HistGradientBoostingClassifier": TREES + "histogram_classifier",
    "sklearn.GaussianNB": OTHERS + "gaussian_bayes",
    "sklearn.KMeans": OTHERS + "clusters",
    "sklearn.MiniBatchKMeans": OTHERS + "clusters",
    "sklearn.DummyRegressor": OTHERS + "constant",
    "sklearn.DummyClassifier": OTHERS + "constant_classifier",
    "sklearn.MultinomialNB": BAYES + "multinomial",
    "sklearn.ComplementNB": BAYES + "complement",
    "sklearn.BernoulliNB": BAYES + "bernoulli",
    "sklearn.CategoricalNB": BAYES + "categorical",
    "sklearn.GaussianMixture": NORMAL + "mixture",
    "sklearn.QuadraticDiscriminantAnalysis": NORMAL + "quadratic",
    "sklearn.SVC": VECTORS + "classifier",
    "sklearn.NuSVC": VECTORS + "classifier",
    "sklearn.SVR": VECTORS + "regressor",
    "sklearn.NuSVR": VECTORS + "regressor",
    "sklearn.OneClassSVM": VECTORS + "one_class",
    "sklearn.KNeighborsClassifier": NEAR + "classifier",
    "sklearn.KNeighborsRegressor": NEAR + "regressor",
    "sklearn.BaggingRegressor": MANY + "bagging_regressor",
    "sklearn.BaggingClassifier": MANY + "bagging_classifier",
    "sklearn.AdaBoostRegressor": MANY + "boost_regressor",
    "sklearn.AdaBoostClassifier": MANY + "boost_classifier",
    "sklearn.VotingRegressor": MANY + "voting_regressor",
    "sklearn.VotingClassifier": MANY + "voting_classifier",
    "sklearn.IsolationForest": MANY + "isolation",
    "sklearn.StackingRegressor": STACKED + "stacking_regressor",
    "sklearn.StackingClassifier": STACKED + "stacking_classifier",
    "sklearn.CalibratedClassifierCV": STACKED + "calibrated",
    "sklearn.FrozenEstimator": STACKED + "frozen",
    "sklearn.MLPRegressor": NEURAL + "regressor",
    "sklearn.MLPClassifier": NEURAL + "classifier",
    "xgboost.XGBRegressor": BOOSTED + "xgboost_model",
    "xgboost.XGBClassifier": BOOSTED + "xgboost_model",
    "xgboost.XGBRFClassifier": BOOSTED + "xgboost_model",
    "xgboost.XGBRFRegressor": BOOSTED + "xgboost_model",
    "xgboost.XGBRanker": BOOSTED + "xgboost_model",
    "lightgbm.LightgbmFile": BOOSTED + "lightgbm_model",
    "lightgbm.LGBMRegressor": BOOSTED + "lightgbm_model",
    "lightgbm.LGBMClassifier": BOOSTED + "lightgbm_model",
    "lightgbm.LGBMRanker": BOOSTED + "lightgbm_model",
    "pyspark.PipelineModel": SPARK_STAGES + "pipeline",
    "pyspark.CrossValidatorModel": SPARK_STAGES + "pipeline",
    "pyspark.TrainValidationSplitModel": SPARK_STAGES + "pipeline",
    "pyspark.LinearRegressionModel": SPARK_LINEAR + "regression",
    "pyspark.LogisticRegressionModel": SPARK_LINEAR + "logistic",
    "pyspark.LinearSVCModel": SPARK_LINEAR + "vectors",
    "pyspark.GeneralizedLinearRegressionModel": SPARK_LINEAR + "generalized",
    "pyspark.DecisionTreeRegressionModel": SPARK_TREES + "regressor",
    "pyspark.DecisionTreeClassificationModel": SPARK_TREES + "classifier",
    "pyspark.RandomForestRegressionModel": SPARK_TREES + "forest_regressor",
    "pyspark.RandomForestClassificationModel": SPARK_TREES + "classifier",
    "pyspark.GBTRegressionModel": SPARK_TREES + "boosted_regressor",
    "pyspark.GBTClassificationModel": SPARK_TREES + "boosted_classifier",
    "pyspark.NaiveBayesModel": SPARK_OTHERS + "bayes",
    "pyspark.KMeansModel": SPARK_OTHERS + "clusters",
    "pyspark.MultilayerPerceptronClassificationModel": SPARK_OTHERS + "perceptron",
}

# (transformer, features, document) -> features
TRANSFORMERS = {
    "sklearn.Pipeline": "scikit_learn.compositions:pipeline_of_transformers",
    "sklearn.ColumnTransformer": "scikit_learn.compositions:by_columns",
    "sklearn.FeatureUnion": "scikit_learn.compositions:union",
    "sklearn.StandardScaler": PREPARED + "standard_scaler",
    "sklearn.MinMaxScaler": PREPARED + "min_max_scaler",
    "sklearn.MaxAbsScaler": PREPARED + "max_abs_scaler",
    "sklearn.RobustScaler": PREPARED + "robust_scaler",
    "sklearn.Binarizer": PREPARED + "binarizer",
    "sklearn.SimpleImputer": MISSING + "imputer",
    "sklearn.MissingIndicator": MISSING + "indicator",
    "sklearn.OneHotEncoder": ENCODED + "one_hot",
    "sklearn.OrdinalEncoder": ENCODED + "ordinal",
    "sklearn.TargetEncoder": ENCODED + "target",
    "sklearn.FunctionTransformer": PREPARED + "function",
    "sklearn.PCA": PREPARED + "components",
    "sklearn.KBinsDiscretizer": BENT + "bins",
    "sklearn.PolynomialFeatures": BENT + "polynomial",
    "sklearn.PowerTransformer": BENT + "power",
    "sklearn.QuantileTransformer": BENT + "quantiles",
    "sklearn.Normalizer": BENT + "normalizer",
    "sklearn.CountVectorizer": TEXT + "counts",
    "sklearn.TfidfVectorizer": TEXT + "worth",
    "sklearn.TfidfTransformer": TEXT + "weighed",
    "sklearn.SelectKBest": SELECTED,
    "sklearn.SelectPercentile": SELECTED,
    "sklearn.SelectFpr": SELECTED,
    "sklearn.SelectFdr": SELECTED,
    "sklearn.SelectFwe": SELECTED,
    "sklearn.GenericUnivariateSelect": SELECTED,
    "sklearn.VarianceThreshold": SELECTED,
    "sklearn.SelectFromModel": SELECTED,
    "sklearn.RFE": SELECTED,
    "sklearn.RFECV": SELECTED,
    "sklearn.SequentialFeatureSelector": SELECTED,
    # Spark's: (stage, columns by name, document) -> columns by name
    "pyspark.VectorAssembler": SPARK + "assembled",
    "pyspark.StringIndexerModel": SPARK + "indexed",
    "pyspark.OneHotEncoderModel": SPARK + "one_hot",
    "pyspark.StandardScalerModel": SPARK + "standard_scaler",
    "pyspark.MinMaxScalerModel": SPARK + "min_max_scaler",
    "pyspark.MaxAbsScalerModel": SPARK + "max_abs_scaler",
    "pyspark.Bucketizer": SPARK + "bucketizer",
    "pyspark.Binarizer": SPARK + "binarizer",
    "pyspark.ImputerModel": SPARK + "imputer",
}

SUPPORTED = {**TRANSFORMERS, **MODELS}


def predict(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """Write a model of these features into the document. Raises UnsupportedError."""
    made: Prediction = _function(model, MODELS, "model")(model, features, document)
    return made


def transform(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Write a transformer of these features into the document. Raises UnsupportedError."""
    made: list[Feature] = _function(model, TRANSFORMERS, "transformer")(model, features, document)
    return made


def step(
    stage: Any, columns: Mapping[str, list[Feature]], document: Document
) -> dict[str, list[Feature]]:
    """Write a stage of Spark's, which reads columns by name; return the columns that it makes."""
    made: dict[str, list[Feature]] = _function(stage, TRANSFORMERS, "stage")(
        stage, columns, document
    )
    return made


def class_name(model: Any) -> str:
    """Return library and name of an object's class, as the tables have it."""
    library = getattr(model, "library", type(model).__module__.partition(".")[0])
    return f"{library}.{type(model).__name__}"


def _function(model: Any, table: dict[str, str], what: str) -> Callable[..., Any]:
    name = class_name(model)
    if name not in table:
        library = name.partition(".")[0] + "."
        known = [each for each in sorted(table) if each.startswith(library)] or sorted(table)
        raise UnsupportedError(
            f"{name} cannot be exported as a {what}. What can: {', '.join(known)}."
        )
    module, _, function = table[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(f"exporters.{module}"), function)
    return found
