# The models that ship with the product, trained from the rows in data/. The same rows give the same bytes.
file(GLOB intent_rows CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/data/train_*.tsv)
file(GLOB language_rows CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/data/language_*.tsv)
set(intent_data)
foreach(file ${intent_rows})
	list(APPEND intent_data --data ${file})
endforeach()
# Sentences and frequent words of many languages; the messages, Italian and English and ever more, would tip the balance.
set(language_data)
foreach(file ${language_rows})
	list(APPEND language_data --data ${file})
endforeach()
# On these rows, unlike on tweets, sentiment does better with what the other tasks use.
set(sentiment_options --solver 4 --c 0.5 --balance 0 --options 63 --word-weight 1.4 --know-weight 0.55)
set(ASCOLTO_MODELS_DIR ${CMAKE_BINARY_DIR}/models)
# Training takes half a minute, with sanitizers several: a second build of the same tree can take what the first one trained.
set(ASCOLTO_MODELS_FROM "" CACHE PATH "A folder with models trained from these rows by another build; empty: train them")
set(models)
foreach(task language intent expectation event sentiment lane flags)
	list(APPEND models ${ASCOLTO_MODELS_DIR}/${task}.model)
	if(ASCOLTO_MODELS_FROM)
		add_custom_command(OUTPUT ${ASCOLTO_MODELS_DIR}/${task}.model DEPENDS ${ASCOLTO_MODELS_FROM}/${task}.model
			COMMAND ${CMAKE_COMMAND} -E make_directory ${ASCOLTO_MODELS_DIR}
			COMMAND ${CMAKE_COMMAND} -E copy ${ASCOLTO_MODELS_FROM}/${task}.model ${ASCOLTO_MODELS_DIR} VERBATIM)
		continue()
	endif()
	set(task_data ${intent_data})
	if(task STREQUAL "language")
		set(task_data ${language_data})
	endif()
	add_custom_command(OUTPUT ${ASCOLTO_MODELS_DIR}/${task}.model
		COMMAND ${CMAKE_COMMAND} -E make_directory ${ASCOLTO_MODELS_DIR}
		COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=0 $<TARGET_FILE:ascolto-train-bootstrap> intent train
			--quiet --task ${task} ${${task}_options} ${task_data} --out ${ASCOLTO_MODELS_DIR}/${task}.model
		DEPENDS ascolto-train-bootstrap ${intent_rows} ${language_rows} COMMENT "Training ${task}" VERBATIM)
endforeach()
add_custom_target(ascolto_models ALL DEPENDS ${models})
install(FILES ${models} DESTINATION ${CMAKE_INSTALL_DATADIR}/ascolto/models)

# What a retraining begins with, and compares with: the same rows, and those nobody trains with.
file(GLOB intent_test_rows CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/data/test_*.tsv)
set(copies)
foreach(file ${intent_rows} ${language_rows} ${intent_test_rows})
	get_filename_component(name ${file} NAME)
	add_custom_command(OUTPUT ${ASCOLTO_MODELS_DIR}/data/${name} DEPENDS ${file}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${ASCOLTO_MODELS_DIR}/data
		COMMAND ${CMAKE_COMMAND} -E copy ${file} ${ASCOLTO_MODELS_DIR}/data/${name} VERBATIM)
	list(APPEND copies ${ASCOLTO_MODELS_DIR}/data/${name})
endforeach()
add_custom_target(ascolto_models_data ALL DEPENDS ${copies})
install(FILES ${intent_rows} ${language_rows} ${intent_test_rows}
	DESTINATION ${CMAKE_INSTALL_DATADIR}/ascolto/models/data)
